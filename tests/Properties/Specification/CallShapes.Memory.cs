namespace ShmCheck.Properties.Specification;

/// <summary>The calls on ranges of addresses.</summary>
internal static partial class CallShapes
{
    private const string Anonymous = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED";

    private static CallShape Map => new()
    {
        Template = "p1 mmap(<address>, <length>, PROT_READ|PROT_WRITE, <flags>) = a9",
        Machine = "profile=6.18 ratio=0",
        Before = $"p1 mmap(@8, 4096, PROT_READ, {Anonymous}) = a1",
        Arguments = new()
        {
            ["address"] = "@4",
            ["length"] = "8192",
            ["flags"] = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE",
        },
        Flaws =
        [
            new("mmap.einval.length-zero", "", ("length", ["0"])),
            new("mmap.enomem.length", "", ("length", ["140737488351233"])),
            new("mmap.eperm.address-is-error", "", ("address", ["0xffffffffffffffff"])),
            new("mmap.enomem.beyond-task-size", "",
                ("address", ["0x7fffffffe000", "0x7fffffffe001"])),
            new("mmap.einval.address", "",
                ("address", ["@4+1", "@8+1", "0x1001", "0x7fffffffe001"])),
            new("mmap.eperm.low-address", Stranger, ("address", ["0x1000", "0x1001"])),
            new("mmap.eexist.noreplace", "", ("address", ["@8", "@8+1"])),
            new("mmap.eagain.memlock",
                $"p1 mlockall(MCL_FUTURE)\np1 setrlimit(RLIMIT_MEMLOCK, 0)\n{Stranger}"),
            new("mmap.enomem.rlimit-as", "p1 setrlimit(RLIMIT_AS, 0)"),
            new("mmap.enomem.commit", "sysctl vm.overcommit_memory = 2"),
        ],
    };

    private static CallShape Unmap => new()
    {
        Template = "p1 munmap(<address>, <length>)",
        Arguments = new() { ["address"] = "@4", ["length"] = "8192" },
        Flaws = [new("munmap.einval.range", "", ("address", ["@4+1"]), ("length", ["0"]))],
    };

    private static CallShape Protect => new()
    {
        Template = "p1 mprotect(<address>, <length>, PROT_READ)",
        Before = $"p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a1",
        Arguments = new() { ["address"] = "@4", ["length"] = "8192" },
        Flaws =
        [
            new("mprotect.einval.unaligned", "", ("address", ["@4+1", "@40+1"])),
            new("mprotect.enomem.overflow", "", ("length", ["18446744073709551615"])),
            new("mprotect.enomem.hole", "", ("address", ["@40", "@40+1"])),
        ],
    };

    private static CallShape LockRange => new()
    {
        Template = "p1 mlock(<address>, <length>)",
        Before = $"p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a1",
        Arguments = new() { ["address"] = "@4", ["length"] = "8192" },
        Flaws =
        [
            new("mlock.eperm.memlock-zero", $"p1 setrlimit(RLIMIT_MEMLOCK, 0)\n{Stranger}"),
            new("mlock.enomem.memlock", $"p1 setrlimit(RLIMIT_MEMLOCK, 4096)\n{Stranger}"),
            new("mlock.einval.overflow", "", ("length", ["18446744073709543424"])),
            new("mlock.enomem.hole", "", ("address", ["@40"])),
        ],
        Apart = [("mlock.eperm.memlock-zero", "mlock.enomem.memlock")],
    };

    private static CallShape LockAll => new()
    {
        Template = "p1 mlockall(<all>)",
        Before = $"p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a1",
        Arguments = new() { ["all"] = "MCL_CURRENT" },
        Flaws =
        [
            new("mlockall.einval.flags", "", ("all", ["0"])),
            new("mlock.eperm.memlock-zero", $"p1 setrlimit(RLIMIT_MEMLOCK, 0)\n{Stranger}"),
            new("mlockall.enomem.memlock", $"p1 setrlimit(RLIMIT_MEMLOCK, 4096)\n{Stranger}",
                ("all", ["MCL_CURRENT"])),
        ],
        Apart = [("mlock.eperm.memlock-zero", "mlockall.enomem.memlock")],
    };

    private static CallShape Bind => new()
    {
        Template = "p1 mbind(<address>, <length>, <policy>)",
        Before = $"p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a1",
        Arguments = new() { ["address"] = "@4", ["length"] = "8192", ["policy"] = "2" },
        Flaws =
        [
            new("mbind.einval.policy", "", ("policy", ["7"])),
            new("mbind.einval.range", "", ("address", ["@4+1", "@40+1"])),
            new("mbind.efault.hole", "", ("address", ["@40", "@40+1"])),
        ],
    };

    private static CallShape Advise => new()
    {
        Template = "p1 madvise(<address>, 4096, <advice>)",
        Before = $"p1 mmap(@4, 8192, PROT_READ|PROT_WRITE, {Anonymous}) = a1",
        Arguments = new() { ["address"] = "@4", ["advice"] = "MADV_RANDOM" },
        Flaws =
        [
            new("madvise.einval.advice", "", ("advice", ["99"])),
            new("madvise.einval.range", "", ("address", ["@4+1"])),
        ],
    };

    private static CallShape Discard => new()
    {
        Template = "p1 madvise(@4, 4096, <advice>)",
        Before = "p1 shmget(IPC_PRIVATE, 8192, 0600) = s1\np1 shmat(s1, @4, 0) = a1",
        Arguments = new() { ["advice"] = "MADV_DONTNEED" },
        Flaws =
        [
            new("madvise.einval.dontneed-locked", "p1 mlock(@4, 4096)"),
            new("madvise.einval.free-shared", "", ("advice", ["MADV_FREE"])),
        ],
    };

    private static CallShape Punch(string profile, string notWritable) => new()
    {
        Template = "p1 madvise(<address>, 4096, MADV_REMOVE)",
        Machine = $"profile={profile}",
        Before =
            $"""
            p1 shmget(IPC_PRIVATE, 8192, 0600) = s1
            p1 shmat(s1, @4, 0) = a1
            p1 shmat(s1, @16, SHM_RDONLY) = a3
            p1 shmat(s1, @24, 0) = a4
            p1 mprotect(@24, 8192, PROT_READ)
            p1 mmap(@8, 4096, PROT_READ, {Anonymous}) = a2
            """,
        Arguments = new() { ["address"] = "@4" },
        Flaws =
        [
            new("madvise.einval.remove-locked",
                "p1 mlock(@4, 4096)\np1 mlock(@8, 4096)\np1 mlock(@16, 4096)\n"
                    + "p1 mlock(@24, 4096)"),
            new("madvise.einval.remove-private", "", ("address", ["@8"])),
            new(notWritable, "",
                ("address", [notWritable.EndsWith("read-only") ? "@16" : "@24"])),
        ],
    };
}
