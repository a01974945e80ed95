using System.Collections.Immutable;
using System.Globalization;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>The machine in our hands: locked, with a journal of what was turned, an agent, and a
/// swap device. Everything is as it was when this is disposed of, or, if this process is killed,
/// when the next session begins.</summary>
internal sealed class LinuxSession : IAgentHost, IDisposable
{
    private static readonly string[] MachineKnobs =
    [
        Knob.OvercommitKilobytes, Knob.OvercommitRatio, Knob.Overcommit, Knob.HugetlbGroup,
        Knob.OvercommitHugePages, Knob.HugePages, Knob.LowestAddress, Knob.PageCluster,
        Knob.TransparentShmem, Knob.HurriedGracePeriods,
    ];

    private readonly LinuxOptions _options;
    private readonly MachineLock _lock;
    private readonly KnobJournal _journal;
    private readonly ImmutableArray<string> _command;
    private AgentProcess? _agent;
    private SwapDevice? _swap;

    private LinuxSession(
        LinuxOptions options, ImmutableArray<string> command, MachineLock taken, string journal)
    {
        _options = options;
        _command = command;
        _lock = taken;
        Repaired = KnobJournal.Repair(journal);
        _journal = new KnobJournal(journal);
        Features = LinuxFeatures.Look(options);
    }

    /// <summary>What can be checked.</summary>
    public LinuxFeatures Features { get; }

    /// <summary>What an earlier process had left behind and was undone, in words.</summary>
    public IReadOnlyList<string> Repaired { get; }

    /// <inheritdoc/>
    public AgentProcess Agent => _agent ??= StartAgent();

    /// <inheritdoc/>
    public bool OwnsHugePages => Features.HugePages is null;

    /// <inheritdoc/>
    public bool OwnsSwap => Features.Swap is null;

    /// <inheritdoc/>
    public bool OwnsMemory => false;

    /// <inheritdoc/>
    public bool MachineGoesWithAgent => false;

    /// <summary>Takes the machine.</summary>
    /// <exception cref="SystemUnavailableException">It cannot be had.</exception>
    public static LinuxSession Open(LinuxOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new SystemUnavailableException("this is not Linux");
        }

        try
        {
            ImmutableArray<string> command = options.Carrier is { } carrier
                ? carrier.CommandLine(options.CacheDirectory)
                : [AgentBinary.Get(options.CacheDirectory, AgentBuild.Usual)];
            return OpenLocked(
                options, command, MachineLock.Take(options.LockFile, options.LockPatience));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SystemUnavailableException(problem.Message);
        }
    }

    /// <inheritdoc/>
    public string? Prepare(MachineConfig machine)
    {
        if (OwnsSwap)
        {
            UseSwap(machine.SwapSlots);
        }

        if (OwnsHugePages)
        {
            Turn(Knob.OvercommitHugePages, machine.NrOvercommitHugePages);
            Turn(Knob.HugePages, machine.HugePages);
        }

        if (Features.Knobs is null)
        {
            Turn(Knob.HugetlbGroup, (ulong)machine.HugetlbShmGroup);
            Turn(Knob.OvercommitRatio, (ulong)machine.OvercommitRatio);
            Turn(Knob.Overcommit, (ulong)machine.Overcommit);
        }

        return machine.SwapSlots > 0 ? _swap?.Path : null;
    }

    /// <inheritdoc/>
    /// <remarks>Slots whose pages were being written when they were freed stay in use
    /// (mm/swapfile.c:free_swap_and_cache).</remarks>
    public void EmptySwap()
    {
        if (_swap is { Slots: > 0 } swap)
        {
            SwapDevice.Stop(swap.Path);
            swap.Use(swap.Slots);
        }
    }

    /// <inheritdoc/>
    public void ForgetAgent()
    {
        _agent?.Dispose();
        _agent = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ForgetAgent();
        _journal.UndoAll();
        _lock.Dispose();
    }

    private static LinuxSession OpenLocked(
        LinuxOptions options, ImmutableArray<string> command, MachineLock taken)
    {
        try
        {
            var session = new LinuxSession(
                options, command, taken, Path.Combine(options.StateDirectory, "journal"));
            session.TakeKnobs();
            return session;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    private void TakeKnobs()
    {
        foreach (string knob in MachineKnobs)
        {
            if (Knob.IsWritable(knob) && Knob.Read(knob) is { } value)
            {
                _journal.Add(new UndoAction.WriteFile(knob, value));
            }
        }

        // What the specification takes for granted.
        TurnIfWritable(
            Knob.LowestAddress, MachineConfig.MinMapAddress.ToString(CultureInfo.InvariantCulture));
        TurnIfWritable(Knob.PageCluster, "0");
        TurnIfWritable(Knob.TransparentShmem, "never");

        // What only saves time.
        TurnIfWritable(Knob.HurriedGracePeriods, "1");
    }

    private AgentProcess StartAgent()
    {
        AgentProcess agent = AgentProcess.Start(_command, 2 * _options.CallLimit);
        _journal.Add(UndoAction.EndProcess.Of(agent.Pid));
        var lines = new LineWriter();
        lines.Line(CallWriter.Controller, "limit")
            .Number((long)_options.CallLimit.TotalMilliseconds).End();
        agent.Send(lines.Written);
        AgentReply.ReadControl(agent.ReadLine());
        return agent;
    }

    private void UseSwap(ulong slots)
    {
        if (slots > 0 && _swap is null)
        {
            string file = Path.Combine(
                _options.SwapFileDirectory, $"shmcheck-swap-{Environment.ProcessId}");
            _swap = _options.SwapKind == SwapKind.Synchronous
                ? SwapDevice.TakeZram(Features.PageSize, _journal)
                : SwapDevice.TakeFile(file, Features.PageSize, _journal);
        }

        _swap?.Use(slots);
    }

    private static void Turn(string knob, ulong value)
    {
        string text = value.ToString(CultureInfo.InvariantCulture);
        if (Knob.Read(knob) == text)
        {
            return;
        }

        File.WriteAllText(knob, text);
        if (Knob.Read(knob) is var got && got != text)
        {
            throw new SystemUnavailableException($"{knob} is {got} where {text} was written");
        }
    }

    private static void TurnIfWritable(string knob, string value)
    {
        if (Knob.Read(knob) is { } now && now != value && Knob.IsWritable(knob))
        {
            File.WriteAllText(knob, value);
        }
    }
}
