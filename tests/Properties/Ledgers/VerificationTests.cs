using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Properties.Ledgers;

public sealed class VerificationTests
{
    [Theory]
    [InlineData(512, "6.18.44", RowVerdict.Holds, true)]
    [InlineData(1, "6.18.44", RowVerdict.Vanished, false)]
    [InlineData(511, "6.18.44", RowVerdict.Changed, false)]
    [InlineData(512, "7.3.4", RowVerdict.OtherKernel, true)]
    public void A_row_that_holds_passes_and_a_changed_or_vanished_one_fails(
        int factor, string release, RowVerdict verdict, bool passes)
    {
        var lies = new Lies { HugeRssFactor = (ulong)factor };

        VerifiedRow row = Verify(lies, release);

        Assert.Equal(verdict, row.Verdict);
        Assert.Equal(passes, row.Passes);
    }

    [Fact]
    public void A_row_that_diverges_with_another_fingerprint_has_changed()
    {
        var lies = new Lies
        {
            Figures = seen => seen.Global[0][(int)GlobalField.Shmem] +=
                seen.Segments.Count > 0 ? 4ul : 0,
        };

        VerifiedRow row = Verify(lies, "6.18.44");

        Assert.Equal(RowVerdict.Changed, row.Verdict);
        Assert.Contains("Shmem", row.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_whose_machine_the_system_cannot_be_is_not_run_and_fails()
    {
        VerifiedRow row = Verify(WithoutHugePages(machine => machine), "6.18.44");

        Assert.Equal(RowVerdict.NotRun, row.Verdict);
        Assert.False(row.Passes);
    }

    [Fact]
    public void A_row_with_huge_pages_is_passed_over_on_a_kernel_that_knows_none()
    {
        VerifiedRow row = Verify(
            WithoutHugePages(machine => machine with { OtherHugePageSizes = [] }), "6.18.44");

        Assert.Equal(RowVerdict.OtherKernel, row.Verdict);
        Assert.Equal("its trace has huge pages", row.Detail);
    }

    [Fact]
    public void A_row_of_Linux_is_passed_over_on_a_kernel_that_lacks_a_call_of_its_trace()
    {
        VerifiedRow row = Verify(
            new Lies
            {
                Capabilities = honest => honest with
                {
                    Calls = honest.Calls.Remove(CallKind.Store),
                },
            },
            "6.18.44");

        Assert.Equal(RowVerdict.OtherKernel, row.Verdict);
        Assert.Equal("its trace has a call that the kernel lacks", row.Detail);
    }

    private static Lies WithoutHugePages(Func<MachineConfig, MachineConfig> besides) =>
        new Lies { HugeRssFactor = 512 } with
        {
            Capabilities = honest => new Lies().Capabilities(honest) with
            {
                Adapt = machine => besides(machine with { HugePages = 0 }),
            },
        };

    /// <summary>A call that is left out says nothing of the row.</summary>
    [Fact]
    public void A_row_a_call_of_which_is_not_made_is_not_run()
    {
        VerifiedRow row = Verify(
            new Lies { HugeRssFactor = 512, LeftOut = CallKind.Store }, "6.18.44");

        Assert.Equal(RowVerdict.NotRun, row.Verdict);
        Assert.Contains("call 3, Store", row.Detail, StringComparison.Ordinal);
    }

    private static VerifiedRow Verify(Lies lies, string release) =>
        LedgerVerification.Run(KnownLedgers.Of("linux"), LyingSystem.Factory(lies with
        {
            Capabilities = c => lies.Capabilities(c) with { KernelRelease = release },
        })).Single(verified => verified.Row.Name == "huge-rss");
}
