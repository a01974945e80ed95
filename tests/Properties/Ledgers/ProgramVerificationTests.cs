using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Properties.Ledgers;

/// <summary>What the exported program of a row must do for the row to be proven.</summary>
public sealed class ProgramVerificationTests
{
    private const string Passes = "conforms\n";
    private const string Unfit = "skipped: needs root\ncannot be asked\n";
    private const string Fails =
        "expected: p1 shmctl(-1, SHM_INFO) = -1 EINVAL\nseen: 0 \ndiverges\n";

    private static LedgerRow Negative => Row("gvisor", "info-of-negative-identifier");

    [Theory]
    [InlineData(1, Fails, ProgramVerdict.Proven)]
    [InlineData(0, Passes, ProgramVerdict.PassesOnSystem)]
    [InlineData(77, Unfit, ProgramVerdict.CannotBeAsked)]
    [InlineData(2, "panic", ProgramVerdict.FailsEarlier)]
    [InlineData(-1, "", ProgramVerdict.FailsEarlier)]
    public void What_passes_on_Linux_must_fail_on_the_system(
        int code, string told, ProgramVerdict verdict) =>
        Assert.Equal(verdict, ProgramVerification.Run(
            Negative, (_, _) => new ProgramOutcome(code, told),
            (_, _) => new ProgramOutcome(0, Passes)).Verdict);

    [Theory]
    [InlineData(1, Fails, ProgramVerdict.FailsOnLinux)]
    [InlineData(77, Unfit, ProgramVerdict.CannotBeAsked)]
    public void What_does_not_pass_on_Linux_accuses_nobody(
        int code, string told, ProgramVerdict verdict)
    {
        ProvenRow row = ProgramVerification.Run(
            Negative, (_, _) => new ProgramOutcome(1, Fails), (_, _) => new ProgramOutcome(code, told));

        Assert.Equal(verdict, row.Verdict);
        Assert.False(row.Passes);
    }

    [Fact]
    public void A_program_that_fails_before_the_last_call_proves_nothing()
    {
        LedgerRow row = Row("gvisor", "removed-by-anybody");
        ProgramVerdict Of(string failed) => ProgramVerification.Run(
            row, (_, _) => new ProgramOutcome(1, $"expected: {failed}\nseen: 0 \ndiverges\n"),
            (_, _) => new ProgramOutcome(0, Passes)).Verdict;

        Assert.Equal(ProgramVerdict.FailsEarlier, Of("p1 setuid(1001) = 0"));
        Assert.Equal(ProgramVerdict.Proven, Of("p1 shmctl(s1, IPC_RMID) = -1 EPERM"));
    }

    [Fact]
    public void A_system_that_dies_proves_a_row_that_says_so() =>
        Assert.Equal(ProgramVerdict.Proven, ProgramVerification.Run(
            Row("gvisor", "enormous-size"), (_, _) => new ProgramOutcome(-1, ""),
            (_, _) => new ProgramOutcome(0, Passes)).Verdict);

    [Fact]
    public void The_program_of_a_row_is_given_to_both_and_reads_the_figures_of_the_row()
    {
        List<string> given = [];
        ProgramVerification.Run(
            Row("gvisor", "exec-takes-real-ids"),
            (program, _) => Outcome(program, given), (program, _) => Outcome(program, given));

        Assert.Equal(2, given.Count);
        Assert.Equal(given[0], given[1]);
        Assert.Contains("\"s1 gid=1000\"", given[0], StringComparison.Ordinal);
        Assert.DoesNotContain("nattch", given[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("6.18.44", 1, "", ProgramVerdict.Proven)]
    [InlineData("6.18.44", 0, "", ProgramVerdict.PassesOnSystem)]
    [InlineData("6.18.44", 77, "skipped: needs Linux before 6.12", ProgramVerdict.CannotBeAsked)]
    [InlineData("7.3", 0, "", ProgramVerdict.OtherKernel)]
    [InlineData("7.3", 1, "", ProgramVerdict.FailsOnLinux)]
    [InlineData("7.3", 77, "skipped: needs root", ProgramVerdict.CannotBeAsked)]
    [InlineData("7.3", 77, "skipped: needs Linux before 6.12", ProgramVerdict.OtherKernel)]
    public void A_row_of_Linux_must_fail_on_the_kernels_that_it_is_about(
        string kernel, int code, string told, ProgramVerdict verdict)
    {
        Assert.True(KernelVersion.TryParse(kernel, out KernelVersion version));
        Assert.Equal(verdict, ProgramVerification.Run(
            Row("linux", "huge-rss"), version, (_, _) => new ProgramOutcome(code, told)).Verdict);
    }

    [Fact]
    public void A_row_whose_trace_has_a_swap_device_is_run_with_one_of_its_length()
    {
        var lengths = new List<ulong>();
        ProgramVerification.Run(
            Row("linux", "one-slot-is-never-used"), new KernelVersion(6, 1, 0),
            (_, swapSlots) =>
            {
                lengths.Add(swapSlots);
                return new ProgramOutcome(0, Passes);
            });
        Assert.Equal([Row("linux", "one-slot-is-never-used").Trace.Machine.SwapSlots], lengths);
    }

    [Theory]
    [InlineData("gvisor")]
    [InlineData("linux")]
    [InlineData("qemu-user")]
    [InlineData("uml")]
    [InlineData("valgrind")]
    public void Every_row_has_a_program(string system) =>
        Assert.All(KnownLedgers.OwnOf(system).Rows, row => Assert.NotEqual(
            ProgramVerdict.NoProgram, ProgramVerification.Run(
                row, (_, _) => new ProgramOutcome(1, ""),
                (_, _) => new ProgramOutcome(0, "")).Verdict));

    private static ProgramOutcome Outcome(string program, List<string> given)
    {
        given.Add(program);
        return new ProgramOutcome(0, Passes);
    }

    private static LedgerRow Row(string system, string name) =>
        KnownLedgers.OwnOf(system).Rows.Single(row => row.Name == name);
}
