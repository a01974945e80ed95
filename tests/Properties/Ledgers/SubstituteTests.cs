using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Properties.Ledgers;

/// <summary>Calls that a system takes for other ones, and attaches that it divides otherwise.
/// </summary>
public sealed class SubstituteTests
{
    private const string HugeSequence =
        """
        p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|SHM_HUGETLB|0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 munmap(a1, 4096) = 0
        """;

    private const string Occupied =
        """
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        p1 shmat(s1, @0, 0) = a1
        p1 shmat(s1, @0, 0) = a2
        p1 shmdt(a2) = 0
        """;

    private const string Divided =
        """
        p1 shmget(IPC_PRIVATE, 8192, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mprotect(a1, 4096, PROT_READ) = 0
        p1 mprotect(a1, 4096, PROT_READ|PROT_WRITE) = 0
        p1 shmdt(a1) = 0
        """;

    private const string Huge = "wrong call shmget(*SHM_HUGETLB|*) does shmget(**)";
    private const string Elsewhere = "wrong call shmat(*, *, *) may do shmat(*, RESULT, *)";

    [Fact]
    public void A_flag_that_is_known_to_be_ignored_is_followed_to_the_end()
    {
        RunRecord run = Judge(HugeSequence, new Lies { Instead = WithoutHugePages }, Huge);

        Assert.Null(run.Divergence);
        Assert.Equal(3, run.Compared);
        Assert.Equal(1, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Fact]
    public void A_system_that_does_what_it_should_is_not_taken_for_one_that_does_not()
    {
        RunRecord run = Judge(HugeSequence, new Lies(), Huge);

        Assert.Null(run.Divergence);
        Assert.Equal(1, run.Compared);
        Assert.Equal(0, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Fact]
    public void What_else_is_wrong_with_such_a_call_is_found()
    {
        RunRecord run = Judge(
            HugeSequence, new Lies
            {
                Instead = WithoutHugePages,
                Figures = Lies.OfSegments(SegmentField.cpid, cpid => cpid + 1),
            }, Huge);

        Assert.NotNull(run.Divergence);
    }

    [Theory]
    [InlineData(Elsewhere, true)]
    [InlineData("wrong call shmat(*, *, SHM_RND) may do shmat(*, RESULT, SHM_RND)", false)]
    public void An_address_may_be_what_the_system_has_returned(string wrong, bool isKnown)
    {
        RunRecord run = Judge(
            Occupied, new Lies
            {
                Instead = call => call is ShmAt { Result.Number: 2 } at
                    ? at with { Address = AddressRef.Null } : call,
            }, wrong);

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(isKnown ? 1 : 0, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Fact]
    public void Where_a_system_fails_its_address_is_null()
    {
        RunRecord run = Judge(
            Occupied.Replace(
                "p1 shmat(s1, @0, 0) = a2", "p1 setrlimit(RLIMIT_AS, 0) = 0\np1 shmat(s1, @0, 0)",
                StringComparison.Ordinal),
            new Lies { Errno = (CallKind.ShmAt, Errno.EINVAL, Errno.ENOMEM) }, Elsewhere);

        Assert.Null(run.Divergence);
        Assert.Equal(1, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Theory]
    [InlineData("wrong call mprotect(*, PROT_READ) does nothing", true)]
    [InlineData("wrong call mprotect(*, PROT_READ) may do nothing", true)]
    [InlineData("wrong call mprotect(*, PROT_NONE) does nothing", false)]
    public void A_call_may_be_known_to_do_nothing(string wrong, bool isKnown)
    {
        RunRecord run = Judge(
            Divided, new Lies
            {
                Instead = call => call is MProtect { Protection: Protection.PROT_READ } change
                    ? change with { Length = 0 } : call,
            }, wrong);

        Assert.Equal(isKnown, run.Divergence is null);
    }

    [Theory]
    [InlineData("wrong refusal mprotect(*, PROT_READ) ENOSYS", true)]
    [InlineData("wrong refusal mprotect(*, PROT_READ) EINVAL", false)]
    [InlineData("wrong refusal mprotect(*, PROT_NONE) ENOSYS", false)]
    public void Calls_may_be_known_to_fail_whatever_they_are_asked_for(string wrong, bool isKnown)
    {
        RunRecord run = Judge(
            Divided.Replace("|PROT_WRITE", "", StringComparison.Ordinal),
            new Lies { Refused = (CallKind.MProtect, Errno.ENOSYS) }, wrong);

        Assert.Equal(isKnown, run.Divergence is null);
    }

    [Theory]
    [InlineData(1, "wrong division", true)]
    [InlineData(0, "wrong division", false)]
    [InlineData(2, "wrong division", false)]
    [InlineData(1, "wrong division but mprotect.ok.change", false)]
    public void Another_division_is_known_where_attaches_are_counted_by_it(
        int fewer, string wrong, bool isKnown)
    {
        RunRecord run = Judge(
            Divided, new Lies
            {
                Figures = seen =>
                {
                    if (IsDividedAlike(seen))
                    {
                        Join(seen);
                        Lies.OfSegments(SegmentField.nattch, count => count - (ulong)fewer)(seen);
                    }
                },
            }, wrong);

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(4, run.Compared);
    }

    private static RunRecord Judge(string calls, Lies lies, string wrong) =>
        LyingSystem.Judge(calls, lies, OwnLedger.Knowing(wrong));

    private static Call WithoutHugePages(Call call) => call is ShmGet get
        ? get with { Flags = new ShmGetFlags(get.Flags.Raw & ~ShmGetFlags.SHM_HUGETLB) } : call;

    private static bool IsDividedAlike(Observation seen) => seen.Mappings.Count == 2
        && seen.Mappings[0][(int)MappingField.Protection]
            == seen.Mappings[1][(int)MappingField.Protection];

    /// <summary>Shows two mappings as one.</summary>
    private static void Join(Observation seen)
    {
        ulong end = seen.Mappings[1][(int)MappingField.End];
        ulong[] row = [.. seen.Mappings[0]];
        row[(int)MappingField.End] = end;
        seen.Mappings.Clear();
        row.CopyTo(seen.Mappings.Add());
    }
}
