using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Ledgers;

public sealed class LedgerFormatTests
{
    private static readonly string[] Figures =
    [
        "wrong segment rss huge=2M times 512",
        "wrong ipc shm_rss sum of rss",
        "wrong mapping Pss huge plus -4",
        "wrong machine Shmem is 0",
        "wrong errno shmat.einval.id EINVAL is EIDRM",
        "wrong order of mremap(*)",
        "wrong process VmLck any",
        "wrong mapping Rss normal any",
        "wrong refusal mlock.ok.lock ENOMEM",
        "wrong acceptance munmap.einval.range",
        "wrong value shmctl.ok.shm-info is 0",
        "wrong segment lpid any stays exec.ok, mprotect.ok.change",
        "wrong mapping Pss any is Rss",
        "wrong mapping Rss any higher",
        "wrong ipc used_ids counts shmget.ok.create",
        "wrong refusal madvise(*, MADV_FREE) EINVAL",
        "wrong call shmget(*SHM_HUGETLB|*) does shmget(**)",
        "wrong call shmat(*, *, *) may do shmat(*, RESULT, *)",
        "wrong call madvise(*) does nothing",
        "wrong division",
        "wrong division of memory",
        "wrong division at munlockall()",
        "wrong division at mremap(*) with policy",
        "wrong acceptance mmap.eagain.memlock behind munmap",
        "wrong call mlockall(MCL_CURRENT) does mlockall(MCL_FUTURE) while MCL_FUTURE",
        "wrong rights after exec.ok",
        "wrong limit after mlockall.ok.lock",
        "wrong death after mlockall.ok.lock",
        "wrong death at exec.ok",
        "wrong division but mmap.enomem.rlimit-as",
        "wrong loss shmget of 1099511627777..9223372036854767616 bytes",
        "wrong fingerprint",
        "wrong fingerprint while huge above 1073741823",
        "wrong fingerprint while segment above 1099511627776",
        "wrong fingerprint while swap is 1",
        "wrong fingerprint after shmat.ok.attach",
    ];

    private static HashSet<string> Fired => [];

    private static SpecState Fresh => Spec.Specification.Start(new MachineConfig(), 1);

    [Fact]
    public void Reading_is_the_inverse_of_printing()
    {
        foreach (string text in (string[])
            [OwnLedger.WithLines(Figures), LedgerPrinter.Print(KnownLedgers.Of("linux"))])
        {
            Ledger ledger = LedgerParser.Parse("own.ledger", text);

            Assert.Equal(text, LedgerPrinter.Print(ledger));
        }
    }

    [Fact]
    public void A_row_may_have_more_fingerprints_and_no_kernels()
    {
        string text = OwnLedger.WithLines("wrong fingerprint")
            .Replace("kernels 5.14, 6.1..6.18\n", "", StringComparison.Ordinal)
            .Replace(
                "status", "also shmdt.ok.detach | nattch | ShmDt\nstatus",
                StringComparison.Ordinal);
        Ledger ledger = LedgerParser.Parse("own.ledger", text);

        Assert.Equal(text, LedgerPrinter.Print(ledger));
        Assert.True(ledger.Rows[0].Ends(ledger.Rows[0].Others.Single(), Fresh, Fired));
        Assert.False(ledger.Rows[0].Ends(
            Fingerprint.Of("shmdt.ok.detach", ["nattch", "rss"], CallKind.ShmDt), Fresh, Fired));
        Assert.True(ledger.Rows[0].HoldsFor(new KernelVersion(1, 0)));
    }

    [Fact]
    public void A_fingerprint_may_leave_open_which_other_fields_it_has()
    {
        string text = OwnLedger.WithLines("wrong fingerprint").Replace(
            "status", "also shmdt.ok.detach | *,nattch | ShmDt\nstatus",
            StringComparison.Ordinal);
        LedgerRow row = LedgerParser.Parse("own.ledger", text).Rows[0];

        Assert.True(row.Ends(
            Fingerprint.Of("shmdt.ok.detach", ["nattch", "rss"], CallKind.ShmDt), Fresh, Fired));
        Assert.False(row.Ends(
            Fingerprint.Of("shmdt.ok.detach", ["rss"], CallKind.ShmDt), Fresh, Fired));
        Assert.False(row.Ends(
            Fingerprint.Of("shmat.ok.attach", ["nattch", "rss", "shm_rss"], CallKind.ShmAt),
            Fresh, Fired));
    }

    [Theory]
    [InlineData(0, "# shmcheck ledger 2", "1:1: expected '# shmcheck ledger 1'")]
    [InlineData(1, "system", "2:7: expected the name of a system")]
    [InlineData(4, "fingerprint no.such.rule | rss | Store", "5:13: expected a rule")]
    [InlineData(4, "fingerprint shmat.ok.attach | rss | Stor", "5:37: expected the kind")]
    [InlineData(5, "status mended", "6:8: expected defect, intended, or fixed")]
    [InlineData(5, "status fixed 7.0", "6:17: expected a link")]
    [InlineData(6, "kernels 6", "7:9: expected a kernel version")]
    [InlineData(6, "kernels 6.18..6.1", "7:9: expected the older version first")]
    [InlineData(7, "wrong segment shm_rss huge times 2", "8:15: expected one of Namespace")]
    [InlineData(7, "wrong segment rss thp times 2", "8:19: expected any, normal, huge")]
    [InlineData(7, "wrong segment rss huge over 2", "8:24: expected times N, plus N, is N")]
    [InlineData(7, "wrong ipc shm_rss sum of rss", "8:7: expected a line 'wrong segment rss")]
    [InlineData(7, "wrong ipc used_ids stays exec.ok", "8:20: expected times N")]
    [InlineData(7, "wrong segment lpid any stays exec.no", "8:30: expected a rule")]
    [InlineData(7, "wrong mapping Pss any is rss", "8:26: expected a number or one of Pid")]
    [InlineData(7, "wrong call mprotect", "8:12: expected a call, for instance")]
    [InlineData(7, "wrong call f(*) do f(*)", "8:17: expected 'does '")]
    [InlineData(7, "wrong call f(*) does f(**)", "8:22: expected '*' only where one stands")]
    [InlineData(7, "wrong call f(*) does g(RESULT, *)", "8:22: expected '*' only where")]
    [InlineData(7, "wrong division at f", "8:19: expected a call, for instance munlockall()")]
    [InlineData(7, "wrong loss shmget of 1..x bytes", "8:25: expected bytes: a number")]
    [InlineData(7, "wrong loss shmget of 2..1 bytes", "8:22: expected the smaller size first")]
    [InlineData(7, "wrong loss shmget of 1..2", "8:26: expected 'bytes'")]
    [InlineData(7, "about", "8:1: expected 'wrong'")]
    [InlineData(9, "Something.", "10:1: expected what is wrong, and why, indented")]
    [InlineData(12, "  machine profile=6.19", "13:19: expected a profile")]
    [InlineData(13, "  p1 frok()", "14:6: expected")]
    public void Errors_are_given_with_their_place(int line, string text, string expected)
    {
        string[] lines = OwnLedger.WithLines("wrong segment rss any times 2").Split('\n')[..^1];
        lines[line] = text;

        TraceFormatException problem = Assert.Throws<TraceFormatException>(
            () => LedgerParser.Parse("own.ledger", OwnLedger.Of(lines)));

        Assert.StartsWith("own.ledger:" + expected, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_rows_known_by_one_fingerprint_are_refused()
    {
        Assert.Throws<TraceFormatException>(() => Twice("wrong fingerprint"));
        Assert.Equal(2, Twice("wrong segment rss any times 2").Rows.Length);

        static Ledger Twice(string wrong)
        {
            string text = OwnLedger.WithLines(wrong);
            string row = text[text.IndexOf("row own", StringComparison.Ordinal)..];
            return LedgerParser.Parse("own.ledger", text + row.Replace(
                "row own", "row other", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("6.12.0", true)]
    [InlineData("6.12.116-generic", true)]
    [InlineData("6.12.117", false)]
    [InlineData("6.12", true)]
    [InlineData("6.18.44-fc", true)]
    [InlineData("7.2.13", true)]
    [InlineData("7.3", false)]
    [InlineData("6.1.192", false)]
    public void The_row_of_huge_pages_holds_for_the_kernels_that_have_it(
        string release, bool holds)
    {
        Assert.True(KernelVersion.TryParse(release, out KernelVersion version));
        Assert.Equal(holds, KnownLedgers.Of("linux").Rows[0].HoldsFor(version));
    }

    [Fact]
    public void A_virtual_machine_has_the_ledger_of_linux()
    {
        Assert.NotEmpty(KnownLedgers.Of("qemu:6.18").Rows);
        Assert.Empty(KnownLedgers.Of("impl").Rows);
        Assert.Contains("linux", KnownLedgers.Systems);
    }
}
