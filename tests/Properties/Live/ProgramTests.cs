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

    [LiveTheory(
        LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap)]
    [InlineData("charge-of-long-max")]
    [InlineData("shared-page-tables")]
    [InlineData("willneed-reads-one-more")]
    public void Rows_of_Linux_are_proven_on_the_kernels_that_they_are_about(string name)
    {
        LedgerRow row = KnownLedgers.OwnOf(KnownLedgers.Linux).Rows.Single(r => r.Name == name);
        Assert.True(KernelVersion.TryParse(LinuxFactory.RunningRelease, out KernelVersion kernel));
        using var host = ProgramRunner.For(KnownLedgers.Linux);
        ProvenRow proven = ProgramVerification.Run(row, kernel, Runs(host));

        Assert.Equal(
            row.HoldsFor(kernel) ? ProgramVerdict.Proven : ProgramVerdict.OtherKernel,
            proven.Verdict);
    }

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

    private static ProgramRun Runs(ProgramRunner runner) => (program, swapSlots) =>
    {
        (int code, string told) = runner.Run(program, swapSlots);
        return new ProgramOutcome(code, told);
    };
}
