using System.Collections.Immutable;
using System.CommandLine.Parsing;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Impl;
using ShmCheck.Systems.Live;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Cli;

/// <summary>The systems that <c>--system</c> names; the first one is meant when it is not given.
/// </summary>
internal sealed class SystemRegistry(params ImmutableArray<ISystemFactory> systems)
{
    /// <summary>The systems that come with the command.</summary>
    public static SystemRegistry BuiltIn { get; } = new(
    [
        new ImplFactory(), SpecSystem.Factory, new LinuxFactory(),
        new LinuxFactory(new LinuxOptions { SwapKind = SwapKind.Asynchronous }),
        AgentFactory.GVisor(), .. LinuxFactory.Emulators(), .. GuestFactory.All(),
    ]);

    private const string ExecPrefix = "exec:";

    private readonly List<AgentFactory> _programs = [];

    public string Default => systems[0].Name;

    /// <summary>Systems that run everywhere, and what they are.</summary>
    public static ImmutableArray<SystemStatus> Own { get; } =
    [
        new("impl", "the implementation in this program", true, []),
        new("spec", "the specification itself", true, []),
    ];

    public string Names =>
        string.Join(", ", systems.Select(system => system.Name).Append("exec:COMMAND"));

    /// <summary>Gives back what the systems have taken.</summary>
    public void Release()
    {
        foreach (IDisposable system in systems.OfType<IDisposable>().Concat(_programs))
        {
            system.Dispose();
        }
    }

    /// <exception cref="BadInputException">There is no such system.</exception>
    public ISystemFactory Find(string name) =>
        name.StartsWith(ExecPrefix, StringComparison.Ordinal) ? Program(name)
            : systems.FirstOrDefault(system => system.Name == name) ?? throw new BadInputException(
                $"--system: there is no system '{name}'; expected one of {Names}");

    /// <summary>The system of a name, or the first of that kind.</summary>
    /// <exception cref="BadInputException">There is no such system.</exception>
    public ISystemFactory WithLedger(string name) =>
        systems.FirstOrDefault(system => KnownLedgers.KindOf(system.Name) == name) ?? Find(name);

    private AgentFactory Program(string name)
    {
        ImmutableArray<string> command =
            [.. CommandLineParser.SplitCommandLine(name[ExecPrefix.Length..])];
        if (command.IsEmpty)
        {
            throw new BadInputException("--system: expected a command behind 'exec:'");
        }

        var program = new AgentFactory(name, command);
        _programs.Add(program);
        return program;
    }
}
