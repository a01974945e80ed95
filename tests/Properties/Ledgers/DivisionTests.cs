using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Properties.Ledgers;

/// <summary>Private memory that a system divides into other mappings than Linux does, and calls
/// that replace some of it.</summary>
public sealed class DivisionTests
{
    private const string ChargedOrNot =
        """
        p1 mmap(@3, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a1
        p1 mprotect(@6, 4096, PROT_READ) = 0
        p1 store(@4, page 0, 0x1) = 0
        p1 mprotect(@5, 4096, PROT_READ) = 0
        p1 mremap(@5, 8192, 12288, 0) = -1 EFAULT
        """;

    private const string Unlocked =
        """
        p1 mmap(@0, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a1
        p1 mlock(a1, 4096) = 0
        p1 munlockall() = 0
        p1 mremap(@0, 8192, 12288, 0) = a2
        """;

    private const string Grown =
        """
        p1 mmap(@1, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a1
        p1 mbind(@2, 4096, 1) = 0
        p1 mremap(@2, 4096, 8192, 0) = a2
        p1 mremap(@2, 8192, 12288, 0) = a3
        """;

    private const string Replacing =
        """
        p1 mlockall(MCL_FUTURE) = 0
        p1 setrlimit(RLIMIT_MEMLOCK, 8192) = 0
        p1 capset(0, 0) = 0
        p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a1
        p1 mmap(@5, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = -1 EAGAIN
        """;

    private const string Locking =
        """
        p1 mlockall(MCL_FUTURE) = 0
        p1 mlockall(MCL_CURRENT) = 0
        p1 mmap(@0, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a1
        """;

    /// <summary>Does as if the range of mremap were one mapping.</summary>
    private static Lies Joining => new()
    {
        Instead = call => call is MRemap remap
            ? remap with { Length = 4096, NewLength = 4096 } : call,
    };

    /// <summary>Refuses mremap of two pages, as of what is not mapped.</summary>
    private static Lies Dividing => new()
    {
        Instead = call => call is MRemap { Length: 8192 } remap
            ? remap with { Start = AddressRef.Window(40) } : call,
    };

    [Theory]
    [InlineData("wrong division of memory", "PROT_READ", true)]
    [InlineData("wrong division of memory", "PROT_NONE", false)]
    [InlineData("wrong division", "PROT_READ", false)]
    public void Pieces_that_differ_in_their_charge_only_may_be_one(
        string wrong, string rights, bool isKnown) => AssertKnown(
        isKnown, ChargedOrNot.Replace(
            "@5, 4096, PROT_READ", $"@5, 4096, {rights}", StringComparison.Ordinal),
        Joining, wrong);

    [Theory]
    [InlineData("wrong division at munlockall()", true)]
    [InlineData("wrong division at munlock(*)", false)]
    [InlineData("wrong division at munlockall() with policy", false)]
    public void What_a_call_has_joined_may_stay_divided(string wrong, bool isKnown) =>
        AssertKnown(isKnown, Unlocked, Dividing, wrong);

    [Fact]
    public void What_a_range_does_not_reach_over_divides_nothing() => AssertKnown(
        false,
        Unlocked.Replace("a1, 4096", "a1, 8192", StringComparison.Ordinal), Dividing,
        "wrong division at munlockall()");

    [Fact]
    public void A_division_explains_no_other_errno() => AssertKnown(
        false, Unlocked, new Lies { Refused = (CallKind.MRemap, Errno.ENOMEM) },
        "wrong division at munlockall()");

    [Theory]
    [InlineData("1", true)]
    [InlineData("0", false)]
    public void What_grows_may_stay_divided_where_it_has_a_policy(string policy, bool isKnown) =>
        AssertKnown(
            isKnown, Grown.Replace("4096, 1)", $"4096, {policy})", StringComparison.Ordinal),
            Dividing, "wrong division at mremap(*) with policy");

    [Theory]
    [InlineData("@5", true)]
    [InlineData("@6", false)]
    public void What_a_call_replaces_may_be_unmapped_before_it_is_judged(
        string place, bool isKnown) => AssertKnown(
        isKnown, Replacing.Replace("@5", place, StringComparison.Ordinal),
        new Lies
        {
            Instead = call => call is MMap { Length: 4096 } map
                ? new MUnmap(map.Caller, map.Start, map.Length) : call,
        },
        "wrong acceptance mmap.eagain.memlock behind munmap");

    [Theory]
    [InlineData("p1 mlockall(MCL_FUTURE) = 0", true)]
    [InlineData("p1 munlockall() = 0", false)]
    public void A_call_may_be_taken_for_another_only_while_later_mappings_are_locked(
        string before, bool isKnown) => AssertKnown(
        isKnown, Locking.Replace(
            "p1 mlockall(MCL_FUTURE) = 0", before, StringComparison.Ordinal),
        new Lies
        {
            Instead = call => call is MLockAll { Flags: MLockAllFlags.MCL_CURRENT } all
                ? all with { Flags = all.Flags | MLockAllFlags.MCL_FUTURE } : call,
        },
        "wrong call mlockall(MCL_CURRENT) does mlockall(MCL_CURRENT|MCL_FUTURE) "
            + "while MCL_FUTURE");

    private static void AssertKnown(bool isKnown, string calls, Lies lies, string wrong)
    {
        RunRecord run = LyingSystem.Judge(calls, lies, OwnLedger.Knowing(wrong));

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(isKnown ? 1 : 0, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }
}
