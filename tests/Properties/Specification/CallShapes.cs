using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>The calls that test their arguments before they do anything, with everything that can
/// be wrong with them, in the order of the kernel.</summary>
internal static partial class CallShapes
{
    private const string Stranger = "p1 setuid(1000)";

    /// <summary>All shapes by name.</summary>
    public static IReadOnlyDictionary<string, CallShape> All { get; } =
        new Dictionary<string, CallShape>
        {
            ["shmget, new"] = NewSegment("6.18", NoHugeRight),
            ["shmget, new, 5.14"] = NewSegment("5.14", NoHugeLimit),
            ["shmget, existing"] = ExistingSegment,
            ["shmat"] = Attach,
            ["shmdt"] = Detach,
            ["IPC_STAT"] = Stat("s1", "shmctl.einval.id", "stale(s1)"),
            ["SHM_STAT"] = Stat("index(s1)", "shmctl.einval.index", "7"),
            ["IPC_SET"] = Set,
            ["IPC_RMID"] = Remove,
            ["SHM_LOCK"] = Lock,
            ["SHM_INFO"] = Info,
            ["mmap"] = Map,
            ["munmap"] = Unmap,
            ["mprotect"] = Protect,
            ["mlock"] = LockRange,
            ["mlockall"] = LockAll,
            ["mbind"] = Bind,
            ["mremap, 6.18"] = Remap618,
            ["mremap, 6.12"] = Remap612,
            ["mremap, 5.14"] = Remap514,
            ["madvise"] = Advise,
            ["madvise, dontneed"] = Discard,
            ["madvise, remove"] = Punch("6.18", "madvise.eacces.remove-read-only"),
            ["madvise, remove, 5.14"] = Punch("5.14", "madvise.eacces.remove-protected"),
            ["swapon"] = SwapOn,
            ["swapoff"] = SwapOff,
            ["clone"] = Clone,
            ["unshare"] = Unshare,
            ["setuid"] = Id("setuid", "uid"),
            ["setgid"] = Id("setgid", "gid"),
            ["setresuid"] = Ids("setresuid", "uid"),
            ["setresgid"] = Ids("setresgid", "gid"),
            ["setgroups"] = Groups,
            ["capset"] = Capabilities,
        };

    /// <summary>Rules about errors that a call finds before it does anything: all but those that
    /// tests of their own or the traces are about.</summary>
    public static IEnumerable<string> ErrorsFoundFirst =>
        RuleCatalogue.Rules.Where(rule => rule.Errno != Errno.None && rule.Signal == Signal.None)
            .Select(rule => rule.Id).Except(FoundOnTheWay);

    private static HashSet<string> FoundOnTheWay { get; } =
    [
        "shmctl.einval.command", "mmap.enomem.huge-boundary", "mapping.einval.huge-boundary",
        "populate.enomem.no-access", "mprotect.enomem.gap", "mprotect.eacces.read-only",
        "mlock.enomem.gap", "mlock.enomem.fault", "mremap.enomem.in-place",
        "mremap.efault.several", "madvise.enomem.gap", "madvise.enomem.populate-gap",
        "madvise.einval.populate-right", "madvise.einval.reclaim",
        "madvise.einval.dontneed-huge", "madvise.einval.dontneed-huge-address",
        "swap.enoent", "swapoff.enomem.frames", "fork.enomem.commit",
        "mmap.enomem.no-room",
        "fail.huge-reservation", "fail.id", "fail.bookkeeping", "fail.bookkeeping-madvise",
        "sysctl.einval.range", "mmap.einval.huge-address", "mremap.einval.huge-never",
    ];

    private static Flaw NoHugeRight => new(
        "shmget.eperm.huge", "sysctl vm.hugetlb_shm_group = 5\n" + Stranger,
        ("flags", ["SHM_HUGETLB"]));

    private static Flaw NoHugeLimit => new(
        "shmget.eperm.huge-memlock",
        "p1 setrlimit(RLIMIT_MEMLOCK, 4096)\nsysctl vm.hugetlb_shm_group = 5\n" + Stranger,
        ("flags", ["SHM_HUGETLB"]));

    private static CallShape NewSegment(string profile, Flaw noRight) => new()
    {
        Template = "p1 shmget(<key>, <size>, <flags>) = s9",
        Machine = $"profile={profile} ratio=0 shmmax=18446744073709551615",
        Arguments = new() { ["key"] = "IPC_PRIVATE", ["size"] = "8192", ["flags"] = "0600" },
        Flaws =
        [
            new("shmget.enoent.key", "", ("key", ["0x77"])),
            new("shmget.einval.size-below-shmmin", "", ("size", ["0"])),
            new("shmget.einval.size-above-shmmax", "sysctl kernel.shmmax = 8191",
                ("size", ["8192", "18446744073709551615", "9223372036854775808"])),
            new("shmget.enospc.pages", "", ("size", ["18446744073709551615"])),
            new("shmget.enospc.shmall", "sysctl kernel.shmall = 0"),
            new("shmget.einval.huge-page-size", "",
                ("flags", ["SHM_HUGETLB|22<<SHM_HUGE_SHIFT"])),
            noRight,
            new("shmget.enomem.huge-reservation", "", ("flags", ["SHM_HUGETLB|0600"])),
            new("shmget.einval.size-above-long", "", ("size", ["9223372036854775808"])),
            new("shmget.enomem.commit", "sysctl vm.overcommit_memory = 2"),
            new("shmget.enospc.shmmni", "sysctl kernel.shmmni = 0"),
            new("shmget.enospc.next-id",
                """
                sysctl kernel.shm_next_id = 32767
                p1 shmget(IPC_PRIVATE, 1, 0600) = s8
                sysctl kernel.shm_next_id = 32767
                """),
        ],
        Apart =
        [
            // What is written down before cannot be done then.
            ("shmget.einval.size-above-shmmax", "shmget.enospc.next-id"),
            ("shmget.enospc.shmall", "shmget.enospc.next-id"),
            ("shmget.enomem.commit", "shmget.enospc.next-id"),
            ("shmget.enospc.shmmni", "shmget.enospc.next-id"),
        ],
    };

    private static CallShape ExistingSegment => new()
    {
        Template = "p1 shmget(7, <size>, <flags>) = s9",
        Before = "p1 shmget(7, 8193, IPC_CREAT|0640) = s1",
        Arguments = new() { ["size"] = "8193", ["flags"] = "0400" },
        Flaws =
        [
            new("shmget.eexist.exclusive", "", ("flags", ["IPC_CREAT|IPC_EXCL|0400"])),
            new("shmget.einval.size-above-segment", "", ("size", ["8194"])),
            new("shmget.eacces.mode", "p1 setgid(1000)\n" + Stranger, ("flags", ["0400"])),
        ],
    };

    private static CallShape Attach => new()
    {
        Template = "p1 shmat(<id>, <address>, <flags>) = a9",
        Before =
            """
            p1 shmget(IPC_PRIVATE, 8192, 0666) = s1
            p1 shmget(IPC_PRIVATE, 18446744073692774399, SHM_HUGETLB|30<<SHM_HUGE_SHIFT|0666) = s2
            p1 mmap(@8, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a1
            """,
        Arguments = new() { ["id"] = "s1", ["address"] = "@4", ["flags"] = "0" },
        Flaws =
        [
            new("shmat.einval.negative-id", "", ("id", ["-1"])),
            new("shmat.einval.unaligned", "",
                ("address", ["@4+1", "@8+1", "0xfffffffffffff001", "0x1001"])),
            new("shmat.einval.remap-null", "",
                ("address", ["NULL"]), ("flags", ["SHM_REMAP"])),
            new("shmat.einval.id", "", ("id", ["stale(s1)"])),
            new("shmat.eacces.mode",
                "p1 shmctl(s1, IPC_SET, {uid=7, gid=7, mode=0})\np1 setgid(1000)\n"
                    + "p1 setresuid(7, 7, 7)"),
            new("shmat.einval.wrap", "",
                ("address", ["0xfffffffffffff000", "0xfffffffffffff001"])),
            new("shmat.einval.occupied", "", ("address", ["@8", "@8+1"])),
            new("shmat.einval.empty", "", ("id", ["s2"])),
            new("mmap.enomem.beyond-task-size", "", ("address", ["0x7fffffffe000"])),
            new("mmap.eperm.low-address", Stranger, ("address", ["0x1000", "0x1001"])),
            new("mmap.eagain.memlock",
                $"p1 mlockall(MCL_FUTURE)\np1 setrlimit(RLIMIT_MEMLOCK, 0)\n{Stranger}"),
            new("mmap.enomem.rlimit-as", "p1 setrlimit(RLIMIT_AS, 0)"),
        ],
        Apart =
        [
            ("shmat.einval.wrap", "shmat.einval.empty"),
            ("shmat.einval.occupied", "shmat.einval.empty"),
            ("shmat.eacces.mode", "shmat.einval.empty"),
        ],
    };

    private static CallShape Detach => new()
    {
        Template = "p1 shmdt(<address>)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1\np1 shmat(s1, @4, 0) = a1",
        Arguments = new() { ["address"] = "@4" },
        Flaws =
        [
            new("shmdt.einval.unaligned", "", ("address", ["@4+1", "@40+1"])),
            new("shmdt.einval.no-attach", "", ("address", ["@40", "@40+1"])),
        ],
    };

    private static CallShape Stat(string id, string unknown, string other) => new()
    {
        Template = $"p1 shmctl(<id>, {(id == "s1" ? "IPC_STAT" : "SHM_STAT")}<buffer>)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1",
        Arguments = new() { ["id"] = id, ["buffer"] = "" },
        Flaws =
        [
            new("shmctl.einval.negative-id", "", ("id", ["-1"])),
            new(unknown, "", ("id", [other])),
            new("shmctl.eacces.read", Stranger),
            new("shmctl.efault.result", "", ("buffer", [", BAD"])),
        ],
    };

    private static CallShape Set => new()
    {
        Template = "p1 shmctl(<id>, IPC_SET, <data>)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1",
        Arguments = new() { ["id"] = "s1", ["data"] = "{uid=0, gid=0, mode=0600}" },
        Flaws =
        [
            new("shmctl.einval.negative-id", "", ("id", ["-1"])),
            new("shmctl.efault.set", "", ("data", ["BAD"])),
            new("shmctl.einval.id", "", ("id", ["stale(s1)"])),
            new("shmctl.eperm.owner", Stranger),
            new("shmctl.einval.owner", "", ("data", ["{uid=-1, gid=0, mode=0600}"])),
        ],
    };

    private static CallShape Remove => new()
    {
        Template = "p1 shmctl(<id>, IPC_RMID)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1",
        Arguments = new() { ["id"] = "s1" },
        Flaws =
        [
            new("shmctl.einval.negative-id", "", ("id", ["-1"])),
            new("shmctl.einval.id", "", ("id", ["stale(s1)"])),
            new("shmctl.eperm.owner", Stranger),
        ],
    };

    private static CallShape Lock => new()
    {
        Template = "p1 shmctl(<id>, SHM_LOCK)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1",
        Arguments = new() { ["id"] = "s1" },
        Flaws =
        [
            new("shmctl.einval.negative-id", "", ("id", ["-1"])),
            new("shmctl.einval.id", "", ("id", ["stale(s1)"])),
            new("shmctl.eperm.lock", Stranger),
            new("shmctl.eperm.memlock-zero",
                "p1 setrlimit(RLIMIT_MEMLOCK, 0)\np1 capset(0, 0)"),
            new("shmctl.enomem.memlock",
                "p1 setrlimit(RLIMIT_MEMLOCK, 4096)\np1 capset(0, 0)"),
        ],
        // The limit is one number, and a stranger has no owner's rights to be limited.
        Apart =
        [
            ("shmctl.eperm.memlock-zero", "shmctl.enomem.memlock"),
            ("shmctl.eperm.lock", "shmctl.eperm.memlock-zero"),
            ("shmctl.eperm.lock", "shmctl.enomem.memlock"),
        ],
    };

    private static CallShape Info => new()
    {
        Template = "p1 shmctl(<id>, SHM_INFO<buffer>)",
        Arguments = new() { ["id"] = "0", ["buffer"] = "" },
        Flaws =
        [
            new("shmctl.einval.negative-id", "", ("id", ["-1"])),
            new("shmctl.efault.result", "", ("buffer", [", BAD"])),
        ],
    };

    private static CallShape SwapOn => new()
    {
        Template = "p1 swapon()",
        Machine = "profile=6.18 swap=4",
        Before = "p1 swapoff()",
        Arguments = [],
        Flaws =
        [
            new("swap.eperm", Stranger),
            new("swapon.ebusy", "p1 swapon()"),
        ],
    };

    private static CallShape SwapOff => new()
    {
        Template = "p1 swapoff()",
        Machine = "profile=6.18 swap=4 ratio=0",
        Arguments = [],
        Flaws =
        [
            new("swap.eperm", Stranger),
            new("swapoff.einval", "p1 swapoff()"),
            new("swapoff.enomem.commit", "sysctl vm.overcommit_memory = 2"),
        ],
        // No pages committed, none allowed: taking away the device is refused, then it is there.
        Apart = [("swapoff.einval", "swapoff.enomem.commit")],
    };

    private static CallShape Clone => new()
    {
        Template = "p1 clone(<flags>) = p9",
        Arguments = new() { ["flags"] = "CLONE_VM" },
        Flaws =
        [
            new("clone.einval.thread", "", ("flags", ["CLONE_THREAD"])),
            new("clone.eperm.newipc", Stranger, ("flags", ["CLONE_NEWIPC"])),
        ],
    };

    private static CallShape Unshare => new()
    {
        Template = "p1 unshare(CLONE_NEWIPC)",
        Arguments = [],
        Flaws = [new("unshare.eperm", Stranger)],
    };

    private static CallShape Id(string call, string kind) => new()
    {
        Template = $"p1 {call}(<id>)",
        Arguments = new() { ["id"] = "1000" },
        Flaws =
        [
            new($"{call}.einval.{kind}", "", ("id", ["-1"])),
            new($"{call}.eperm.{kind}", Stranger, ("id", ["1001", "-1"])),
        ],
    };

    private static CallShape Ids(string call, string kind) => new()
    {
        Template = $"p1 {call}(-1, <id>, -1)",
        Arguments = new() { ["id"] = "1000" },
        Flaws = [new($"{call}.eperm.{kind}", Stranger, ("id", ["1001"]))],
    };

    private static CallShape Groups => new()
    {
        Template = "p1 setgroups([<id>])",
        Arguments = new() { ["id"] = "1000" },
        Flaws =
        [
            new("setgroups.eperm", Stranger),
            new("setgroups.einval.gid", "", ("id", ["-1"])),
        ],
    };

    private static CallShape Capabilities => new()
    {
        Template = "p1 capset(<effective>, <permitted>)",
        Before = "p1 capset(CAP_IPC_LOCK, CAP_IPC_LOCK)",
        Arguments = new() { ["effective"] = "0", ["permitted"] = "CAP_IPC_LOCK" },
        Flaws =
        [
            new("capset.eperm.permitted", "", ("permitted", ["CAP_SETUID"])),
            new("capset.eperm.effective", "", ("effective", ["CAP_SYS_ADMIN"])),
        ],
    };
}
