using System.Collections.Immutable;
using System.Diagnostics;

namespace ShmCheck.Systems.Live;

/// <summary>Compiles C programs for a system, and runs them there: on the running kernel, or
/// within what carries the agent.</summary>
public sealed class ProgramRunner : IDisposable
{
    private static readonly string[] Warnings = ["-O1", "-Wall", "-Wextra", "-Werror"];

    /// <summary>More than the minute after which a program gives up itself.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(75);

    /// <summary>A system that hangs takes the clock of its programs along.</summary>
    private static readonly TimeSpan LimitWithin = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _folder =
        Directory.CreateTempSubdirectory("shmcheck-programs-").FullName;

    private readonly Carrier? _carrier;
    private readonly AgentBuild _build;

    private ProgramRunner(Carrier? carrier)
    {
        _carrier = carrier;
        _build = carrier?.Build ?? AgentBuild.Usual;
    }

    /// <summary>A runner for a system.</summary>
    /// <param name="system">Name of the system, as for <c>--system</c>.</param>
    /// <exception cref="SystemUnavailableException">It is not installed, or runs no programs.
    /// </exception>
    public static ProgramRunner For(string system)
    {
        Carrier? carrier = Carrier.Emulators.Add(Carrier.GVisor)
            .FirstOrDefault(known => known.Name == system);
        if (carrier is null && system != LinuxFactory.NameFor(new LinuxOptions()))
        {
            throw new SystemUnavailableException($"'{system}' cannot be given programs to run");
        }

        return carrier?.Lack is { } lack
            ? throw new SystemUnavailableException($"{lack.Why}: {lack.Remedy}")
            : new ProgramRunner(carrier);
    }

    /// <summary>Compiles a program and runs it.</summary>
    /// <returns>Its exit code, 128 and the signal, or -1 when it had to be killed; and what it
    /// printed.</returns>
    /// <exception cref="SystemUnavailableException">It does not compile, or another process keeps
    /// the machine whose settings the program turns or needs.</exception>
    public (int Code, string Told) Run(string program)
    {
        string source = Path.Combine(_folder, "repro.c");
        string binary = Path.Combine(_folder, "repro");
        File.WriteAllText(source, program);
        string[] kind = _build.IsStatic ? ["-static"] : [];
        (int code, string told) = Start(
            _build.Compiler, [.. Warnings, .. kind, "-o", binary, source], Limit);
        if (code != 0)
        {
            throw new SystemUnavailableException($"{_build.Compiler}: {told}");
        }

        using MachineLock? taken = _carrier?.IsOverHost != false && IsOfTheMachine(program)
            ? TakeMachine() : null;
        return _carrier is null ? Start(binary, [], Limit)
            : Start(_carrier.Command[0], [.. _carrier.Command.Skip(1), binary], LimitWithin);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsOfTheMachine(string program) =>
        program.Contains("/proc/sys/vm/", StringComparison.Ordinal)
        || program.Contains("/proc/meminfo", StringComparison.Ordinal);

    private static MachineLock TakeMachine()
    {
        string folder = new LinuxOptions().StateDirectory;
        Directory.CreateDirectory(folder);
        return MachineLock.Take(Path.Combine(folder, "lock"), Patience);
    }

    private (int Code, string Told) Start(
        string command, ImmutableArray<string> arguments, TimeSpan limit)
    {
        var start = new ProcessStartInfo(command, arguments)
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
        process.StandardInput.Close();
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
