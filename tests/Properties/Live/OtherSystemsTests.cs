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
    public void Every_row_of_the_ledger_of_gVisor_holds() => AssertHolds(
        () => AgentFactory.GVisor(LiveKernel.Patience));

    [LiveFact(LiveNeed.QemuUser, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Every_row_of_the_ledger_of_QEMU_holds() =>
        AssertHolds(() => Over("qemu-user:x86_64"));

    [LiveFact(LiveNeed.Valgrind, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Every_row_of_the_ledger_of_Valgrind_holds() => AssertHolds(() => Over("valgrind"));

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void What_ends_without_a_greeting_cannot_be_had()
    {
        using var system = new LinuxFactory(new LinuxOptions
        {
            Carrier = Carrier.Emulators[0] with { Name = "mute", Command = ["false"] },
            LockPatience = LiveKernel.Patience,
        });
        var problem = Assert.Throws<SystemUnavailableException>(() => system.Capabilities);
        Assert.StartsWith("mute: ", problem.Message, StringComparison.Ordinal);
    }

    private static LinuxFactory Over(string name) => new(new LinuxOptions
    {
        Carrier = Carrier.Emulators.Single(carrier => carrier.Name == name),
        LockPatience = LiveKernel.Patience,
    });

    /// <summary>An emulator shows less than it has in some of its starts, when a process of it
    /// dies for no reason that the calls give: what fails is looked at again in a new one.
    /// </summary>
    private static void AssertHolds<T>(Func<T> start)
        where T : ISystemFactory, IDisposable
    {
        const int starts = 3;
        ImmutableArray<VerifiedRow> rows = [];
        for (int tries = 0; tries < starts && (tries == 0 || rows.Any(row => !row.Passes)); tries++)
        {
            using T system = start();
            rows = LedgerVerification.Run(KnownLedgers.OwnOf(system.Name), system);
        }

        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Passes, $"{row.Row.Name}: {row.Detail}"));
    }
}
