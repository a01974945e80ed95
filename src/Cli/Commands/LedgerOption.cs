using System.CommandLine;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Cli.Commands;

/// <summary>The option <c>--no-ledger</c>.</summary>
internal static class LedgerOption
{
    public static Option<bool> Create() => new("--no-ledger")
    {
        Description = "find known divergences of the system too, instead of counting them",
    };

    /// <summary>The ledger to use.</summary>
    public static Ledger? LedgerOf(string system, bool none) =>
        none ? null : KnownLedgers.Of(system);
}
