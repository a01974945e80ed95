using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Systems.Live;

/// <summary>Compiles C programs for a system, and runs them there: on the running kernel, within
/// what carries the agent, or in a guest that is booted for each.</summary>
public sealed class ProgramRunner : IDisposable
{
    private static readonly string[] Warnings = ["-O1", "-Wall", "-Wextra", "-Werror"];

    /// <summary>More than the minute after which a program gives up itself.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(75);

    /// <summary>A system that hangs takes the clock of its programs along.</summary>
    private static readonly TimeSpan LimitWithin = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private const string Ended = "ended ";

    private readonly string _folder =
        Directory.CreateTempSubdirectory("shmcheck-programs-").FullName;

    private readonly LinuxOptions _options = new();
    private readonly Carrier? _carrier;
    private readonly Guest? _guest;
    private readonly AgentBuild _build;

    private ProgramRunner(Carrier? carrier, Guest? guest)
    {
        _carrier = carrier;
        _guest = guest;
        _build = carrier?.Build ?? guest?.Build ?? AgentBuild.Usual;
    }

    /// <summary>A runner for a system.</summary>
    /// <param name="system">Name of the system, as for <c>--system</c>.</param>
    /// <exception cref="SystemUnavailableException">It is not installed, or runs no programs.
    /// </exception>
    public static ProgramRunner For(string system)
    {
        Carrier? carrier = Carrier.Emulators.Add(Carrier.GVisor)
            .FirstOrDefault(known => known.Name == system);
        Guest? guest = Guest.All.FirstOrDefault(known => known.Name == system);
        if (carrier is null && guest is null && system != LinuxFactory.NameFor(new LinuxOptions()))
        {
            throw new SystemUnavailableException($"'{system}' cannot be given programs to run");
        }

        Lack? lack = carrier?.Lack ?? guest?.LackIn(AgentBinary.DefaultCache);
        return lack is not null
            ? throw new SystemUnavailableException($"{lack.Why}: {lack.Remedy}")
            : new ProgramRunner(carrier, guest);
    }

    /// <summary>A runner for a guest.</summary>
    internal static ProgramRunner In(Guest guest) => new(null, guest);

    /// <summary>Compiles a program and runs it.</summary>
    /// <param name="program">The program, in C.</param>
    /// <param name="swapSlots">Pages of the swap device that it is to meet; 0 for none. Programs
    /// within what carries the agent meet that of the machine.</param>
    /// <returns>Its exit code, 128 and the signal, or -1 when it had to be killed; and what it
    /// printed.</returns>
    /// <exception cref="SystemUnavailableException">It does not compile, or another process keeps
    /// the machine whose settings the program turns or needs.</exception>
    public (int Code, string Told) Run(string program, ulong swapSlots = 0)
    {
        string binary = Compile(program);
        using MachineLock? taken = Lock(program, swapSlots);
        if (_guest is not null)
        {
            return RunInGuest(_guest.CommandLine(AgentBinary.DefaultCache, binary, swapSlots));
        }

        if (_carrier is not null)
        {
            return Start([.. _carrier.Command, binary], LimitWithin);
        }

        return swapSlots == 0 ? Start([binary], Limit) : RunWithSwap(binary, swapSlots);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsOfTheMachine(string program) =>
        program.Contains("/proc/sys/vm/", StringComparison.Ordinal)
        || program.Contains("/proc/meminfo", StringComparison.Ordinal);

    private string Compile(string program)
    {
        string source = Path.Combine(_folder, "repro.c");
        string binary = Path.Combine(_folder, "repro");
        File.WriteAllText(source, program);
        string[] kind = _build.IsStatic ? ["-static"] : [];
        (int code, string told) = Start(
            [_build.Compiler, .. Warnings, .. kind, "-o", binary, source], Limit);
        return code == 0 ? binary
            : throw new SystemUnavailableException($"{_build.Compiler}: {told}");
    }

    private MachineLock? Lock(string program, ulong swapSlots)
    {
        bool needsHost = _guest?.NeedsHost ?? _carrier is { IsOverHost: false };
        if (needsHost)
        {
            return MachineLock.Share(_options.LockFile, Patience);
        }

        return _guest is null && (swapSlots > 0 || IsOfTheMachine(program))
            ? MachineLock.Take(_options.LockFile, Patience) : null;
    }

    private (int Code, string Told) RunWithSwap(string binary, ulong slots)
    {
        if (SwapDevice.LackOfZram is { } lack)
        {
            throw new SystemUnavailableException(lack);
        }

        string path = Path.Combine(_options.StateDirectory, "journal");
        KnobJournal.Repair(path);
        var journal = new KnobJournal(path);
        try
        {
            SwapDevice.TakeZram((ulong)Environment.SystemPageSize, journal).Use(slots);
            return Start([binary], Limit);
        }
        finally
        {
            journal.UndoAll();
        }
    }

    /// <summary>What the kernel of the guest says stands on the standard error output.</summary>
    private (int Code, string Told) RunInGuest(ImmutableArray<string> command)
    {
        (_, string told) = Start(command, _guest!.BootLimit + Limit);
        int end = told.LastIndexOf(Ended, StringComparison.Ordinal);
        string code = end < 0 ? "" : told[(end + Ended.Length)..].Split('\n')[0];
        return int.TryParse(code, CultureInfo.InvariantCulture, out int number)
            ? (number, told[..end]) : (-1, told);
    }

    private (int Code, string Told) Start(ImmutableArray<string> command, TimeSpan limit)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (_carrier is { IsOverHost: false })
        {
            // The release that it reports says nothing of what it does.
            start.Environment["ANY_RELEASE"] = "1";
        }

        using Process process = Process.Start(start)!;
        if (_guest is null)
        {
            process.StandardInput.Close();
        }

        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> told = process.StandardOutput.ReadToEndAsync();
        bool ended = process.WaitForExit(limit);
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        // What a dying system leaves behind may keep the pipes open.
        Task.WaitAll([told, errors], limit);
        string TextOf(Task<string> text) => text.IsCompletedSuccessfully ? text.Result : "";
        return (ended ? process.ExitCode : -1, TextOf(told) + TextOf(errors));
    }
}
