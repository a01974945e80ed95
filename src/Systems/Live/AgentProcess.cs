using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ShmCheck.Systems.Live;

/// <summary>A running agent: lines go to it, and as many lines come back.</summary>
/// <remarks>A thread of its own ends an agent that does not answer in time, so that reading can
/// be plain and fast.</remarks>
internal sealed partial class AgentProcess : IDisposable
{
    /// <summary>Newest version of the protocol that is spoken here; older ones lack features
    /// that an agent of this version names in its greeting.</summary>
    public const int Version = 2;

    /// <summary>Bytes that may be under way to the agent: less than a pipe holds, so that writing
    /// never waits for the agent while the agent waits for its answers to be read.</summary>
    private const int Window = 32 << 10;

    /// <summary>Length in bytes of the longest mapping that the agent for Linux makes.</summary>
    public const ulong LongestMapping = 256 << 20;

    /// <summary>Calls with an observation behind each that fit into the window.</summary>
    public const int MostCallsAhead = 200;

    /// <summary>Registers of each letter that an agent has.</summary>
    public const int Registers = 1000;

    /// <summary>The feature of an agent that keeps what calls return.</summary>
    public const string RegisterFeature = "registers";

    /// <summary>The feature of an agent that sees page frames.</summary>
    public const string FrameFeature = "frames";

    private const int KeptErrorLines = 20;

    /// <summary>What a runtime adds to the number of the signal that ended a process.</summary>
    private const int SignalBase = 128;

    private const int MostSignals = 64;

    /// <summary>Milliseconds between the end of its output and the end of an agent.</summary>
    private const int EndPatience = 500;

    private readonly Process _process;
    private readonly Stream _to;
    private readonly Stream _from;
    private TimeSpan _limit;
    private readonly Timer _watchdog;
    private readonly Queue<string> _errors = new();
    private string? _cause;
    private readonly Thread _errorReader;
    private byte[] _received = new byte[64 << 10];
    private int _start;
    private int _end;
    private long _deadline = long.MaxValue;
    private volatile bool _ranOut;

    private AgentProcess(Process process, TimeSpan limit)
    {
        _process = process;
        _limit = limit;
        _to = process.StandardInput.BaseStream;
        _from = process.StandardOutput.BaseStream;
        StreamReader errors = process.StandardError;
        _errorReader = new Thread(() => ReadErrors(errors)) { IsBackground = true };
        _errorReader.Start();
        _watchdog = new Timer(_ => EndIfLate(), null, 100, 100);
    }

    /// <summary>Pid of the agent.</summary>
    public int Pid => _process.Id;

    /// <summary>The lowest Committed_AS that was seen between its runs, in kB.</summary>
    public ulong LeastCommitted { get; set; } = ulong.MaxValue;

    /// <summary>Base page size of the machine it runs on, in bytes.</summary>
    public ulong PageSize { get; private set; }

    /// <summary>Whether the agent keeps what calls return, so that later ones can be sent before
    /// it is known.</summary>
    public bool HasRegisters { get; private set; }

    /// <summary>Whether the agent sees page frames.</summary>
    public bool HasFrames { get; private set; }

    /// <summary>Starts a program that speaks the protocol, and reads its greeting.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="limit">Time in which it must answer a command.</param>
    /// <param name="patience">Time in which it must greet; as much when not given.</param>
    /// <exception cref="AgentLostException">It does not start, or does not greet.</exception>
    public static AgentProcess Start(
        IReadOnlyList<string> command, TimeSpan limit, TimeSpan? patience = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        AgentProcess agent;
        try
        {
            agent = new AgentProcess(Process.Start(start)!, patience ?? limit);
        }
        catch (System.ComponentModel.Win32Exception problem)
        {
            throw new AgentDiedException(
                $"{command[0]} cannot be started: {problem.Message}", problem);
        }

        try
        {
            agent.ReadGreeting();
            agent._limit = limit;
            return agent;
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    /// <summary>Sends lines, each ended by LF.</summary>
    public void Send(ReadOnlySpan<byte> lines)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lines.Length, Window);
        Volatile.Write(ref _deadline, Environment.TickCount64 + (long)_limit.TotalMilliseconds);
        try
        {
            _to.Write(lines);
            _to.Flush();
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            throw Ended(problem);
        }

        Volatile.Write(ref _deadline, long.MaxValue);
    }

    /// <summary>The next line of the agent, without its LF. Valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadLine()
    {
        int searched = _start;
        while (true)
        {
            int at = _received.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                ReadOnlySpan<byte> line = _received.AsSpan(_start, searched + at - _start);
                _start = searched + at + 1;
                return line;
            }

            searched = _end - _start;
            Fill();
            searched += _start;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watchdog.Dispose();
        try
        {
            _to.Dispose();
            if (!_process.WaitForExit(2000))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
            }
        }
        catch (Exception problem) when (problem is IOException or InvalidOperationException)
        {
            // It has ended by itself.
        }

        _process.Dispose();
    }

    /// <summary>The exception for an agent that breaks the protocol.</summary>
    /// <param name="how">In what way, as the end of a sentence.</param>
    /// <param name="cause">What brought it to light, if anything.</param>
    public AgentProtocolException Broken(string how, Exception? cause = null) =>
        new($"the agent {how}{LastWords()}", cause);

    private AgentLostException Ended(Exception? cause = null)
    {
        string seconds = _limit.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        _errorReader.Join(EndPatience);
        return _ranOut
            ? new AgentHangsException(
                $"the agent does not answer within {seconds} s{LastWords()}", cause)
            : new AgentDiedException($"the agent has ended{ExitText()}{LastWords()}", cause);
    }

    /// <summary>How it ended, if it is seen to end soon.</summary>
    private string ExitText() => !_process.WaitForExit(EndPatience) ? ""
        : _process.ExitCode is > SignalBase and <= SignalBase + MostSignals
            ? $" by signal {_process.ExitCode - SignalBase}"
            : $" with exit code {_process.ExitCode}";

    private string LastWords()
    {
        lock (_errors)
        {
            return _errors.Count == 0 ? ""
                : $"; it said: {string.Join("\n", _errors.Prepend(_cause).OfType<string>())}";
        }
    }

    private void ReadGreeting()
    {
        string greeting = Encoding.UTF8.GetString(ReadLine());
        string[] words = greeting.Split(' ');
        if (words is not ["shmcheck-agent", var version, "page", var page, ..]
            || !ulong.TryParse(page, CultureInfo.InvariantCulture, out ulong size))
        {
            throw Broken($"does not greet as an agent does: '{greeting}'");
        }

        if (version is not ("1" or "2"))
        {
            throw Broken(
                $"speaks version {version} of the protocol; expected 1 or {Version}");
        }

        PageSize = size;
        HasRegisters = words.Skip(4).Contains(RegisterFeature);
        HasFrames = words.Skip(4).Contains(FrameFeature);
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _received.AsSpan(_start, _end - _start).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _received.Length)
        {
            Array.Resize(ref _received, _received.Length * 2);
        }

        int got;
        Volatile.Write(ref _deadline, Environment.TickCount64 + (long)_limit.TotalMilliseconds);
        try
        {
            got = _from.Read(_received, _end, _received.Length - _end);
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            throw Ended(problem);
        }

        Volatile.Write(ref _deadline, long.MaxValue);
        if (got == 0)
        {
            throw Ended();
        }

        _end += got;
    }

    private void EndIfLate()
    {
        if (Environment.TickCount64 <= Volatile.Read(ref _deadline) || _ranOut)
        {
            return;
        }

        _ranOut = true;
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended meanwhile.
        }
    }

    /// <summary>Keeps the last lines that it says on standard error. The pool's threads may be
    /// busy for longer than an agent takes to die.</summary>
    private void ReadErrors(StreamReader errors)
    {
        try
        {
            while (errors.ReadLine() is { } line)
            {
                KeepError(line);
            }
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            // It has been disposed of.
        }
    }

    /// <summary>What a kernel, or the runtime of a program, says before pages of what was going
    /// on.</summary>
    [GeneratedRegex("panic|BUG:|Oops|fatal error", RegexOptions.CultureInvariant)]
    private static partial Regex SaysWhy();

    private void KeepError(string line)
    {
        lock (_errors)
        {
            _errors.Enqueue(line);
            if (_errors.Count > KeptErrorLines)
            {
                string dropped = _errors.Dequeue();
                _cause ??= SaysWhy().IsMatch(dropped) ? dropped : null;
            }
        }
    }
}
