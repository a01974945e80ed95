using System.Collections.Immutable;

namespace ShmCheck.Properties.Specification;

/// <summary>mremap, whose tests Linux has put into another order twice.</summary>
internal static partial class CallShapes
{
    private const string Move = "MREMAP_MAYMOVE|MREMAP_FIXED";

    private static Flaw UnknownFlag =>
        new("mremap.einval.flags", "", ("flags", [Move + "|0x8"]));

    private static Flaw Unaligned =>
        new("mremap.einval.unaligned", "", ("address", ["@4+1", "@40+1"]));

    private static Flaw NoLength => new("mremap.einval.new-length", "", ("new", ["0"]));

    private static Flaw BadTarget =>
        new("mremap.einval.target", "", ("target", ["@20+1"]));

    private static Flaw NeedsMayMove =>
        new("mremap.einval.needs-maymove", "", ("flags", ["MREMAP_FIXED"]));

    private static Flaw ResizeKept => new("mremap.einval.dontunmap-resize", "",
        ("flags", [Move + "|MREMAP_DONTUNMAP"]), ("new", ["4096", "16384"]));

    private static Flaw ResizeKeptBytes =>
        ResizeKept with { Rule = "mremap.einval.dontunmap-resize-bytes" };

    private static Flaw Overlap =>
        new("mremap.einval.overlap", "",
            ("address", ["@4"]), ("target", ["@3"]), ("new", ["8192", "16384", "20480"]));

    private static Flaw Hole =>
        new("mremap.efault.not-mapped", "", ("address", ["@40", "@40+1"]));

    /// <summary>With equal lengths, a move to a fixed address goes mapping by mapping.</summary>
    private static Flaw HoleResized =>
        Hole with { Arguments = [.. Hole.Arguments, ("new", ["16384", "20480", "4096"])] };

    private static Flaw HugeGrowth => new("mremap.einval.huge", "",
        ("address", ["@512"]), ("new", ["4194304"]), ("target", ["@2048"]));

    private static Flaw CopyOfPrivate =>
        new("mremap.einval.copy-private", "", ("old", ["0"]), ("new", ["4096", "16384"]));

    private static Flaw KeepsHuge => new("mremap.einval.dontunmap-huge", "",
        ("address", ["@512"]), ("flags", [Move + "|MREMAP_DONTUNMAP"]),
        ("old", ["2097152"]), ("new", ["2097152"]), ("target", ["@2048"]));

    private static Flaw BeyondMapping => new("mremap.efault.beyond-mapping", "",
        ("old", ["24576"]), ("new", ["20480", "16384"]));

    private static Flaw LockLimit => new("mmap.eagain.memlock",
        $"p1 mlock(@4, 8192)\np1 setrlimit(RLIMIT_MEMLOCK, 8192)\n{Stranger}",
        ("new", ["16384", "20480"]));

    private static Flaw SizeLimit => new("mmap.enomem.rlimit-as",
        "p1 setrlimit(RLIMIT_AS, 0)", ("new", ["16384", "20480"]));

    private static Flaw LowTarget => new("mmap.eperm.low-address", Stranger,
        ("target", ["0x1000"]));

    private static Flaw NotCommitted => new("mmap.enomem.commit",
        "sysctl vm.overcommit_memory = 2", ("new", ["16384", "20480"]));

    private static CallShape Remap618 => Remap("6.18",
    [
        UnknownFlag, Unaligned, NoLength,
        new("mremap.einval.too-long", "", ("new", ["140737488355328"])),
        BadTarget, NeedsMayMove, ResizeKept, Overlap, HoleResized, HugeGrowth, CopyOfPrivate,
        KeepsHuge, BeyondMapping, LockLimit, SizeLimit, LowTarget, NotCommitted,
    ]);

    private static CallShape Remap612 => Remap("6.12",
    [
        UnknownFlag, NeedsMayMove, ResizeKeptBytes, Unaligned, NoLength, Hole, HugeGrowth,
        BadTarget, Overlap, CopyOfPrivate, KeepsHuge, BeyondMapping, LockLimit, SizeLimit,
        LowTarget, NotCommitted,
    ]);

    private static CallShape Remap514 => Remap("5.14",
    [
        UnknownFlag, NeedsMayMove, ResizeKeptBytes, Unaligned, NoLength, BadTarget, Overlap, Hole,
        CopyOfPrivate, BeyondMapping, LockLimit, SizeLimit, NotCommitted, LowTarget,
    ]);

    private static CallShape Remap(string profile, ImmutableArray<Flaw> flaws) => new()
    {
        Template = "p1 mremap(<address>, <old>, <new>, <flags>, <target>) = a9",
        Machine = $"profile={profile} ratio=0",
        Before =
            $"""
            p1 shmget(IPC_PRIVATE, 2097152, SHM_HUGETLB|SHM_NORESERVE|0600) = s1
            p1 shmat(s1, @512, 0) = a1
            p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a2
            """,
        Arguments = new()
        {
            ["address"] = "@4",
            ["old"] = "8192",
            ["new"] = "8192",
            ["flags"] = Move,
            ["target"] = "@20",
        },
        Flaws = flaws,
        // Flags add up, so that one cannot be left out and another be given.
        Apart =
        [
            .. flaws.Where(flaw => flaw.Arguments.Any(argument => argument.Name == "flags"))
                .SelectMany(flaw => new[]
                {
                    (flaw.Rule, NeedsMayMove.Rule), (NeedsMayMove.Rule, flaw.Rule),
                }),
        ],
    };
}
