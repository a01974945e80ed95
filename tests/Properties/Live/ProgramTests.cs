using ShmCheck.Harness.Ledgers;
using ShmCheck.LiveTests;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The programs of some rows of each ledger fail on the system, and pass on the running
/// kernel; <c>ledger --verify --programs</c> runs those of all rows.</summary>
[Collection(LiveKernel.Name)]
public sealed class ProgramTests
{
    public ProgramTests(LiveKernel kernel) => kernel.Release();

    [LiveTheory(LiveNeed.GVisor, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    [InlineData("removed-by-anybody")]
    [InlineData("smaps")]
    public void Rows_of_gVisor_are_proven(string row) => AssertProven("gvisor", row);

    [LiveTheory(LiveNeed.QemuUser, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    [InlineData("vfork-is-fork")]
    [InlineData("exec-right")]
    public void Rows_of_QEMU_are_proven(string row) => AssertProven("qemu-user:x86_64", row);

    [LiveTheory(LiveNeed.Valgrind, LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    [InlineData("attach-asks-for-the-size")]
    [InlineData("clone-ends-the-program")]
    public void Rows_of_Valgrind_are_proven(string row) => AssertProven("valgrind", row);

    [Fact]
    public void A_system_that_runs_no_programs_is_refused() =>
        Assert.Throws<SystemUnavailableException>(() => ProgramRunner.For("impl"));

    private static void AssertProven(string system, string name)
    {
        LedgerRow row = KnownLedgers.OwnOf(system).Rows.Single(r => r.Name == name);
        using var guest = ProgramRunner.For(system);
        using var host = ProgramRunner.For(KnownLedgers.Linux);
        ProvenRow proven = ProgramVerification.Run(row, Runs(guest), Runs(host));
        Assert.True(proven.Verdict == ProgramVerdict.Proven, $"{proven.Verdict}: {proven.Detail}");
    }

    private static Func<string, ProgramOutcome> Runs(ProgramRunner runner) => program =>
    {
        (int code, string told) = runner.Run(program);
        return new ProgramOutcome(code, told);
    };
}
