using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Impl;
using ShmCheck.Systems.Live;

namespace ShmCheck.Cli;

/// <summary>The systems that <c>--system</c> names.</summary>
internal static class SystemRegistry
{
    private static readonly ImmutableArray<ISystemFactory> All =
    [
        new ImplFactory(), SpecSystem.Factory, new LinuxFactory(),
        new LinuxFactory(new LinuxOptions { SwapKind = SwapKind.Asynchronous }),
    ];

    public const string Default = "impl";

    /// <summary>Systems that run everywhere, and what they are.</summary>
    public static ImmutableArray<SystemStatus> Own { get; } =
    [
        new("impl", "the implementation in this program", true, []),
        new("spec", "the specification itself", true, []),
    ];

    public static string Names => string.Join(", ", All.Select(system => system.Name));

    /// <summary>Gives back what the systems have taken.</summary>
    public static void Release()
    {
        foreach (IDisposable system in All.OfType<IDisposable>())
        {
            system.Dispose();
        }
    }

    /// <exception cref="BadInputException">There is no such system.</exception>
    public static ISystemFactory Find(string name) =>
        All.FirstOrDefault(system => system.Name == name) ?? throw new BadInputException(
            $"there is no system '{name}'; expected one of {Names}");
}
