using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.LiveTests;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What is known of other systems than the running kernel is still so, row by row:
/// found without the row, and explained by it.</summary>
[Collection(LiveKernel.Name)]
public sealed class OtherSystemsTests
{
    /// <summary>Systems over the running kernel want the machine too.</summary>
    public OtherSystemsTests(LiveKernel kernel) => kernel.Release();

    [LiveFact(LiveNeed.GVisor, LiveNeed.CCompiler, LiveNeed.Root)]
    public void Every_row_of_the_ledger_of_gVisor_holds()
    {
        using var gvisor = AgentFactory.GVisor();
        AssertHolds(gvisor);
    }

    [LiveFact(LiveNeed.QemuUser, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Every_row_of_the_ledger_of_QEMU_holds()
    {
        using LinuxFactory qemu = Over("qemu-user:x86_64");
        AssertHolds(qemu);
    }

    [LiveFact(LiveNeed.Valgrind, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Every_row_of_the_ledger_of_Valgrind_holds()
    {
        using LinuxFactory valgrind = Over("valgrind");
        AssertHolds(valgrind);
    }

    private static LinuxFactory Over(string name) => new(new LinuxOptions
    {
        Carrier = Carrier.Emulators.Single(carrier => carrier.Name == name),
        LockPatience = LiveKernel.Patience,
    });

    private static void AssertHolds(ISystemFactory system)
    {
        ImmutableArray<VerifiedRow> rows =
            LedgerVerification.Run(KnownLedgers.OwnOf(system.Name), system);
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Passes, $"{row.Row.Name}: {row.Detail}"));
    }
}
