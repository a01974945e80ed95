using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Arguments in every style of strace.</summary>
public partial class DecodingTests
{
    private static SyscallArguments Decode(string call) =>
        RecordedLogs.Parse($"7     {call}").Calls[0].Arguments;

    private static T Decode<T>(string call)
        where T : SyscallArguments => Assert.IsType<T>(Decode(call));

    [Theory]
    [InlineData("shmget(IPC_PRIVATE, 16384, IPC_CREAT|0600) = 0", 0, 16384, 0x380)]
    [InlineData("shmget(0x1234, 0, 000) = 0", 0x1234, 0, 0)]
    [InlineData("shmget(0, 16384, 0x200|0600) = 0", 0, 16384, 0x380)]
    [InlineData("shmget(0 /* IPC_PRIVATE */, 16384, 0x200 /* IPC_CREAT */|0600) = 0", 0, 16384,
        0x380)]
    [InlineData("shmget(0, 0x4000, 0x380) = 0", 0, 16384, 0x380)]
    [InlineData("shmget(0x80000001, 18446744073709551615, IPC_CREAT|IPC_EXCL|SHM_HUGETLB|"
        + "SHM_NORESERVE|0x10000|17<<SHM_HUGE_SHIFT|0777) = -1 EINVAL (Invalid argument)",
        int.MinValue + 1, ulong.MaxValue, 0x44011fff)]
    [InlineData("shmget(0x80000001, 18446744073709551615, 0x11e00|17<<26|0777) = -1 EINVAL (x)",
        int.MinValue + 1, ulong.MaxValue, 0x44011fff)]
    [InlineData("shmget(0x80000001, 18446744073709551615, 0x11e00 /* IPC_CREAT|IPC_EXCL|0x1 */|"
        + "17<<26 /* SHM_HUGE_SHIFT */|0777) = -1 EINVAL (x)",
        int.MinValue + 1, ulong.MaxValue, 0x44011fff)]
    [InlineData("shmget(0x80000001, 0xffffffffffffffff, 0x44011fff) = -1 EINVAL (x)",
        int.MinValue + 1, ulong.MaxValue, 0x44011fff)]
    [InlineData("shmget(key=0x5, size=1, shmflg=IPC_EXCL|000) = 0", 5, 1, 0x400)]
    public void Shmget_is_decoded(string call, int key, ulong size, int flags) => Assert.Equal(
        new ShmGetArguments(new ShmKey(key), size, new ShmGetFlags(flags)), Decode(call));

    [Theory]
    [InlineData("shmat(0, NULL, 0) = 0x7f0000000000", 0, 0, 0)]
    [InlineData("shmat(0, 0, 0) = 0x7f0000000000", 0, 0, 0)]
    [InlineData("shmat(3, 0x7f0000001000, SHM_RDONLY|SHM_RND|0x40) = 0x7f0000001000",
        3, 0x7f0000001000, 0x3040)]
    [InlineData("shmat(3, 0x7f0000001000, 0x3040 /* SHM_RDONLY|SHM_RND|0x40 */) = 0x1000",
        3, 0x7f0000001000, 0x3040)]
    [InlineData("shmat(-1, NULL, 0x40 /* SHM_??? */) = -1 EINVAL (x)", -1, 0, 0x40)]
    [InlineData("shmat(0xffffffff, 0, 0x40) = -1 EINVAL (x)", -1, 0, 0x40)]
    [InlineData("shmat(3, NULL, SHM_RDONLY|SHM_RND|SHM_REMAP|SHM_EXEC|0xffff0fff) = -1 EINVAL (x)",
        3, 0, unchecked((int)0xffffffff))]
    public void Shmat_is_decoded(string call, int id, ulong address, int flags) => Assert.Equal(
        new ShmAtArguments(id, address, new ShmAtFlags(flags)), Decode(call));

    [Fact]
    public void Raw_calls_of_ipc_have_their_arguments_elsewhere()
    {
        Assert.Equal(new ShmAtArguments(1, 0x5000, new ShmAtFlags(0x1000), ResultIsHidden: true),
            Decode("shmat(0x1, 0x1000, 0x20000190, 0x5000) = 0"));
        Assert.Equal(new ShmDtArguments(0xf7f97000), Decode("shmdt(0, 0, 0, 0xf7f97000) = 0"));
        Assert.Equal(new ShmCtlArguments(1, 0x102, 0x20000000),
            Decode("shmctl(0x1, 0x102, 0, 0x20000000) = 0"));
        Assert.IsType<OtherArguments>(
            Decode("ipc(99, 0x1, 0x2, 0x3, 0x4, 0x5) = -1 ENOSYS (Function not implemented)"));
    }

    private const string Stat = "{shm_perm={uid=-1, gid=1, mode=03600, key=4294967295, cuid=2, "
        + "cgid=3}, shm_segsz=18446744073709551615, shm_cpid=6157, shm_lpid=0, shm_nattch=4, "
        + "shm_atime=1795223538, shm_dtime=0, shm_ctime=1795223539}";

    [Theory]
    [InlineData("IPC_STAT", 2)]
    [InlineData("SHM_STAT", 13)]
    [InlineData("IPC_64|SHM_STAT_ANY", 0x10f)]
    [InlineData("0x2", 2)]
    [InlineData("0x100|0xd", 0x10d)]
    [InlineData("0x100 /* IPC_64 */|0x2 /* IPC_STAT */", 0x102)]
    public void Shmid_ds_is_decoded(string command, int raw)
    {
        var expected = new SegmentStat(
            -1, -1, 1, 2, 3, 0x780, ulong.MaxValue, 6157, 0, 4, Stamp.At(1795223538),
            Stamp.Never, Stamp.At(1795223539));

        ShmCtlArguments control = Decode<ShmCtlArguments>($"shmctl(5, {command}, {Stat}) = 5");
        Assert.Equal(new ShmCtlArguments(5, raw, null, expected), control);
        Assert.Equal((raw & 0x100) != 0, control.HasIpc64);
        ShmCtlArguments named = Decode<ShmCtlArguments>(
            $"shmctl(5, {command}, {Stat.Replace("6157", "6157<b}k>", StringComparison.Ordinal)})"
                + " = 5");
        Assert.Equal(control, named);
    }

    [Fact]
    public void Shminfo_and_shm_info_are_decoded()
    {
        Assert.Equal(
            new ShmCtlArguments(0, 3, null, new ShmLimits(18446744073692774399, 1, 4096, 4096, 7)),
            Decode("shmctl(0, IPC_INFO, {shmmax=18446744073692774399, shmmin=1, shmmni=4096, "
                + "shmseg=4096, shmall=7}) = 3"));
        Assert.Equal(
            new ShmCtlArguments(0, 14, null, new ShmTotals(1, 256, 2, 3)),
            Decode("shmctl(0, SHM_INFO, {used_ids=1, shm_tot=256, shm_rss=2, shm_swp=3, "
                + "swap_attempts=0, swap_successes=0}) = 0"));
    }

    [Theory]
    [InlineData("shmctl(2, IPC_SET, {shm_perm={uid=-1, gid=5, mode=0640}}) = 0", 0x1a0)]
    [InlineData("shmctl(2, 0x1 /* IPC_SET */, {shm_perm={uid=-1, gid=5, mode=000}}) = 0", 0)]
    public void What_ipc_set_asks_for_is_decoded(string call, int mode) => Assert.Equal(
        new ShmCtlArguments(2, 1, null, Change: new ShmChange(-1, 5, mode)), Decode(call));

    [Theory]
    [InlineData("IPC_RMID, NULL", 0, 0)]
    [InlineData("SHM_LOCK, 0x7f0000000000", 11, 0x7f0000000000)]
    [InlineData("SHM_UNLOCK, NULL", 12, 0)]
    [InlineData("IPC_64|0xfffffeff /* SHM_??? */, NULL", -1, 0)]
    [InlineData("0x4d /* SHM_??? */, NULL", 77, 0)]
    [InlineData("IPC_STAT, 0x1", 2, 1)]
    public void Other_commands_have_a_pointer(string arguments, int command, ulong buffer) =>
        Assert.Equal(new ShmCtlArguments(2, command, buffer),
            Decode($"shmctl(2, {arguments}) = -1 EINVAL (Invalid argument)"));

    [Fact]
    public void A_structure_that_never_came_is_no_error()
    {
        Assert.Equal(new ShmCtlArguments(2, 2, null),
            Decode("shmctl(2, IPC_STAT,  <unfinished ...>"));
        Assert.Equal(new ShmCtlArguments(2, 2, null),
            Decode("shmctl(2, IPC_STAT,  <unfinished ...>) = ?"));
    }

    [Theory]
    [InlineData("clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, "
        + "child_tidptr=0x7f0000000fd0) = 8", 0x1200000, 17, 0)]
    [InlineData("clone(child_stack=0x5000, flags=0x4100|17, child_tidptr=0x7f0000000fd0) = 8",
        0x4100, 17, 0x5000)]
    [InlineData("clone(child_stack=NULL, flags=0x100000 /* CLONE_PARENT_SETTID */|"
        + "17 /* SIGCHLD */, parent_tid=[8644<x>]) = 8644<x>", 0x100000, 17, 0)]
    [InlineData("clone(0x1200011, 0x5000, 0, 0x7f0000000a10, 0) = 0x21b3", 0x1200000, 17, 0x5000)]
    [InlineData("clone(child_stack=NULL, flags=SIGCHLD) = 8", 0, 17, 0)]
    [InlineData("clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0xf7f3c000, "
        + "stack_size=0x9000}, 88) = 9", 0x4100, 17, 0xf7f3c000)]
    [InlineData("clone3({flags=CLONE_VM|0x8000000000, parent_tid=0x7f0000000990, exit_signal=0, "
        + "stack=NULL, stack_size=0} => {parent_tid=[26]}, 88) = 26", 0x8000000100, 0, 0)]
    public void Clone_and_clone3_are_decoded(string call, ulong flags, int signal, ulong stack) =>
        Assert.Equal(new CloneArguments(new FlagWord(flags), signal, stack), Decode(call));

    [Fact]
    public void Clone3_of_two_halves_is_decoded()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     clone3({flags=CLONE_THREAD, exit_signal=0, stack=0x5000, stack_size=0x9000} "
                + "<unfinished ...>",
            "9     gettid()                          = 9",
            "7     <... clone3 resumed> => {parent_tid=[9]}, 88) = 9");

        Assert.Equal(new CloneArguments(new FlagWord(CloneArguments.CLONE_THREAD), 0, 0x5000),
            log.Calls[0].Arguments);
    }

    [Fact]
    public void Mmap_is_decoded()
    {
        Assert.Equal(
            new MMapArguments(0, 8192, new FlagWord(3), new FlagWord(0x22),
                new FileDescriptor(-1), 0),
            Decode("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 1"));
        Assert.Equal(
            new MMapArguments(0, 0x200000, new FlagWord(1), new FlagWord(0x54040022),
                new FileDescriptor(-1), 0),
            Decode("mmap(NULL, 2097152, 0x1 /* PROT_READ */, 0x54040022 /* MAP_PRIVATE|"
                + "MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT */, -1, 0) = 0x7f0000000000"));
        Assert.Equal(
            new MMapArguments(0, 0x200000, new FlagWord(1), new FlagWord(0x54040022),
                new FileDescriptor(-1), 0),
            Decode("mmap(NULL, 2097152, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|"
                + "21<<MAP_HUGE_SHIFT, -1, 0) = 0x7f0000000000"));
        Assert.Equal(
            new MMapArguments(0x1000, 4096, default, new FlagWord(0x11),
                new FileDescriptor(3, "/srv/a,b)", false), 0x3000),
            Decode("mmap2(0x1000, 4096, PROT_NONE, MAP_SHARED|MAP_FIXED, 3</srv/a,b)>, 0x3000)"
                + " = 0x1000"));
    }

    [Fact]
    public void A_raw_offset_of_mmap2_is_in_units_of_4096() => Assert.Equal(
        new MMapArguments(0, 0x1000, new FlagWord(1), new FlagWord(1), new FileDescriptor(3),
            0x3000),
        Decode("mmap2(0, 0x1000, 0x1, 0x1, 0x3, 0x3) = 0xf7f97000"));

    [Theory]
    [InlineData("3</proc/sys/vm/nr_hugepages>, \"5\\n\", 2", "vm.nr_hugepages", "5\n", 2)]
    [InlineData("3</proc/sys/kernel/shmmax>, \"\\x31\\x32\", 2", "kernel.shmmax", "12", 2)]
    [InlineData("1, \"a\\\"b\\\\\\t\\0012\\33\\v\\f\\r\"..., 99", null,
        "a\"b\\\t\u00012\u001b\v\f\r", 99)]
    public void What_is_written_is_decoded(string arguments, string? sysctl, string text, ulong n)
    {
        WriteArguments write = Decode<WriteArguments>($"write({arguments}) = {n}");

        Assert.Equal((sysctl, text, n), (write.Descriptor.Sysctl, write.Text?.Text, write.Count));
        Assert.Equal(arguments.Contains("...", StringComparison.Ordinal), write.Text?.IsCut);
        Assert.Null(write.Offset);
    }

    [Fact]
    public void Descriptors_carry_what_they_refer_to()
    {
        Assert.Equal(new FileDescriptor(3, "/memfd:na\"me<x>) = 0", true),
            Decode<CloseArguments>("close(3</memfd:na\\\"me\\74x\\76) = 0>(deleted)) = 0")
                .Descriptor);
        Assert.Equal(new FileDescriptor(4, "TCP:[127.0.0.1:1->127.0.0.1:80]"),
            Decode<CloseArguments>("close(4<TCP:[127.0.0.1:1->127.0.0.1:80]>) = 0").Descriptor);
        Assert.Equal(new FileDescriptor(-100, "/srv"),
            Decode<OpenArguments>("openat(AT_FDCWD</srv>, \"a\", O_RDONLY) = 3</srv/a>")
                .Directory);
        Assert.Equal(new FileDescriptor(-100),
            Decode<OpenArguments>("openat(-100 /* AT_FDCWD */, \"a\", 0 /* O_RDONLY */) = 3")
                .Directory);
        Assert.Equal(new FileDescriptor(-100),
            Decode<OpenArguments>("openat(0xffffff9c, 0x5591ef6f903a, 0x2, 0) = 0x4").Directory);
    }

    [Fact]
    public void Credentials_are_decoded()
    {
        Assert.Equal(new SetIdArguments(IdCall.Set, false, 1000), Decode("setuid(1000) = 0"));
        Assert.Equal(new SetIdArguments(IdCall.Set, true, 1000), Decode("setgid32(1000) = 0"));
        Assert.Equal(new SetIdArguments(IdCall.SetFileSystem, true, -1),
            Decode("setfsgid(0xffffffff) = 0"));
        Assert.Equal(new SetIdArguments(IdCall.SetRealEffective, false, -1, 0),
            Decode("setreuid(-1, 0) = 0"));
        Assert.Equal(new SetIdArguments(IdCall.SetRealEffectiveSaved, true, 1, 2, 3),
            Decode("setresgid(1, 2, 3) = 0"));
        SetGroupsArguments groups = Decode<SetGroupsArguments>("setgroups(70, [1, 2, ...]) = 0");
        Assert.Equal((70ul, true), (groups.Count, groups.IsCut));
        Assert.Equal([1, 2], groups.Groups.AsEnumerable());
        Assert.Empty(Decode<SetGroupsArguments>("setgroups(0, []) = 0").Groups);
        Assert.True(Decode<SetGroupsArguments>("setgroups(0, NULL) = 0").Groups.IsDefault);
    }

    [Theory]
    [InlineData("1<<CAP_CHOWN|1<<CAP_IPC_LOCK|1<<CAP_BPF", 0x8000004001)]
    [InlineData("0x4001|0x80", 0x8000004001)]
    [InlineData("0x4001 /* 1<<CAP_CHOWN|1<<CAP_IPC_LOCK */|0x80 /* 1<<CAP_BPF */", 0x8000004001)]
    [InlineData("1<<CAP_CHOWN|0x80000000", 0x8000000000000001)]
    [InlineData("0x80 /* 1<<CAP_BPF */", 0x8000000000)]
    [InlineData("0", 0)]
    public void Sets_of_capabilities_are_two_words(string text, ulong set) => Assert.Equal(
        new CapSetArguments(0, new CapabilitySets(set, 1, 0)),
        Decode("capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, "
            + $"{{effective={text}, permitted=1<<CAP_CHOWN, inheritable=0}}) = 0"));

    [Theory]
    [InlineData("{rlim_cur=64*1024, rlim_max=RLIM64_INFINITY}", 65536, ulong.MaxValue)]
    [InlineData("{rlim_cur=65536, rlim_max=18446744073709551615}", 65536, ulong.MaxValue)]
    [InlineData("{rlim_cur=4096 /* 4*1024 */, rlim_max=4294967295 /* RLIM_INFINITY */}",
        4096, ulong.MaxValue)]
    public void Limits_are_decoded(string limit, ulong soft, ulong hard)
    {
        RLimitArguments change = Decode<RLimitArguments>(
            $"prlimit64(0, RLIMIT_MEMLOCK, {limit}, NULL) = 0");
        RLimitArguments query = Decode<RLimitArguments>(
            $"prlimit64(5, 0x8 /* RLIMIT_MEMLOCK */, NULL, {limit}) = 0");

        Assert.Equal(new RLimitArguments(0, 8, new RLimit(soft, hard), null, false), change);
        Assert.Equal(new RLimitArguments(5, 8, null, new RLimit(soft, hard), false), query);
        Assert.Equal(change, Decode($"setrlimit(RLIMIT_MEMLOCK, {limit}) = 0"));
        Assert.True(Decode<RLimitArguments>("setrlimit(0x8, 0x20000000) = 0").IsHidden);
    }

    [Fact]
    public void The_rest_is_decoded()
    {
        Assert.Equal(new MRemapArguments(0x1000, 4096, 8192, new FlagWord(3), 0x5000), Decode(
            "mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x5000) = 0x5000"));
        Assert.Equal(new MRemapArguments(0x1000, 0, 8192, new FlagWord(1), null),
            Decode("mremap(0x1000, 0, 8192, MREMAP_MAYMOVE) = 0x5000"));
        Assert.Equal(new MProtectArguments(0x1000, 4096, new FlagWord(1), -1),
            Decode("pkey_mprotect(0x1000, 4096, PROT_READ, -1) = 0"));
        Assert.Equal(new MProtectArguments(0x1000, 4096, new FlagWord(0x1000017), null),
            Decode("mprotect(0x1000, 4096, PROT_READ|PROT_WRITE|PROT_EXEC|PROT_GROWSDOWN|0x10)"
                + " = -1 EINVAL (Invalid argument)"));
        Assert.Equal(new MAdviseArguments(0x1000, 4096, new FlagWord(99)),
            Decode("madvise(0x1000, 4096, 0x63 /* MADV_??? */) = -1 EINVAL (x)"));
        Assert.Equal(
            new MBindArguments(0x1000, 4096, new FlagWord(3), "[0x01]", new FlagWord(1)),
            Decode("mbind(0x1000, 4096, MPOL_INTERLEAVE, [0x01], 8, MPOL_MF_STRICT) = 0"));
        ProcessMAdviseArguments advice = Decode<ProcessMAdviseArguments>("process_madvise("
            + "4<anon_inode:[pidfd]>, [{iov_base=0x1000, iov_len=4096}, {iov_base=0x5000, "
            + "iov_len=1}], 2, MADV_COLD, 0) = 4097");
        Assert.Equal([new MemoryRange(0x1000, 4096), new MemoryRange(0x5000, 1)],
            advice.Ranges.AsEnumerable());
        Assert.Equal(new MLockArguments(0x1000, 1, new FlagWord(1)),
            Decode("mlock2(0x1000, 1, MLOCK_ONFAULT) = 0"));
        Assert.Equal(new MLockAllArguments(new FlagWord(7)),
            Decode("mlockall(MCL_CURRENT|MCL_FUTURE|MCL_ONFAULT) = 0"));
        Assert.Equal(new MUnlockAllArguments(), Decode("munlockall() = 0"));
        Assert.Equal(new BrkArguments(0), Decode("brk(NULL) = 0x55f47d6c8000"));
        Assert.Equal(new KillArguments(-99999, null, 34), Decode("kill(-99999, SIGRT_2) = 0"));
        Assert.Equal(new KillArguments(5, 6, 11), Decode("tgkill(5<a>, 6<a>, SIGSEGV) = 0"));
        Assert.Equal(new UnshareArguments(new FlagWord(0xc000000)),
            Decode("unshare(CLONE_NEWUTS|CLONE_NEWIPC) = 0"));
        Assert.Equal(new SetNsArguments(new FileDescriptor(4), default), Decode("setns(4, 0) = 0"));
        Assert.Equal(1ul, Decode<PrctlArguments>("prctl(PR_SET_KEEPCAPS, 1) = 0").Value);
        Assert.Equal("PR_SET_NEW", Decode<PrctlArguments>("prctl(PR_SET_NEW, X) = 0").OptionName);
        Assert.Equal(new PersonalityArguments(new FlagWord(0x40000)),
            Decode("personality(PER_LINUX|ADDR_NO_RANDOMIZE) = 0 (PER_LINUX)"));
        Assert.Equal(
            new WaitArguments(null, -1, "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]",
                new FlagWord(1)),
            Decode("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 5"));
        Assert.Equal(new SwapOnArguments(new QuotedText("/dev/x", false), new FlagWord(0x8005)),
            Decode("swapon(\"/dev/x\", SWAP_FLAG_PREFER|5) = -1 ENOENT (x)"));
        Assert.Equal(new DupArguments(new FileDescriptor(3), 30),
            Decode("fcntl(3, F_DUPFD_CLOEXEC, 30) = 30"));
        Assert.IsType<OtherArguments>(Decode("fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)"));
        Assert.Equal(new ExitArguments(-1, true), Decode("exit_group(-1) = ?"));
    }

    [Fact]
    public void Unknown_names_of_flags_are_kept()
    {
        MMapArguments map = Decode<MMapArguments>(
            "mmap(NULL, 4096, PROT_READ|PROT_NEW, MAP_SHARED|MAP_NEW|0x10000000, -1, 0) = 0x1000");

        Assert.Equal(new FlagWord(1, "PROT_NEW"), map.Protection);
        Assert.Equal(new FlagWord(0x10000001, "MAP_NEW"), map.Flags);
    }

    [Theory]
    [InlineData("shmget(IPC_PRIVATE, 4096) = 0", 31, "argument 3")]
    [InlineData("shmget(IPC_PRIVATE, many, 0600) = 0", 27, "a number")]
    [InlineData("shmget(IPC_PRIVATE, 99999999999999999999, 0600) = 0", 27, "a number")]
    [InlineData("shmget(IPC_PRIVATE, 4096, IPC_NEW|0600) = 0", 33, "IPC_NEW")]
    [InlineData("shmat(0, [1], 0) = 0x1000", 16, "a number")]
    [InlineData("shmctl(0, SHM_NEW, NULL) = 0", 17, "SHM_NEW")]
    [InlineData("shmctl(0, IPC_STAT, {shm_perm={uid=0}, shm_segsz=1}) = 0", 27, "a field key")]
    [InlineData("shmctl(0, IPC_STAT, {}) = 0", 27, "shmid_ds")]
    [InlineData("shmdt([1) = 0", 13, "balanced")]
    [InlineData("clone3(0x7fff13247250, 0x40) = 9", 14, "clone_args")]
    [InlineData("mmap(0x20000000) = 0x1000", 12, "address of a structure")]
    public void What_cannot_be_decoded_says_where_and_why(string call, int column, string expected)
    {
        StraceLog log = RecordedLogs.Parse($"7     {call}");

        UndecodedArguments undecoded =
            Assert.IsType<UndecodedArguments>(log.Calls[0].Arguments);
        Assert.Equal(new SourcePosition("test", 1, column), undecoded.Position);
        Assert.Contains(expected, undecoded.Expected, StringComparison.Ordinal);
        Assert.Equal(1, log.Format.UndecodedCalls);
        Assert.Equal(CallCompletion.Returned, log.Calls[0].Completion);
    }

    [Fact]
    public void What_cannot_be_decoded_in_the_second_half_is_placed_there()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     shmctl(2, IPC_STAT,  <unfinished ...>",
            "7     <... shmctl resumed>what?)        = 0");

        Assert.Equal(new SourcePosition("test", 2, 27),
            Assert.IsType<UndecodedArguments>(log.Calls[0].Arguments).Position);
    }

    [Theory]
    [InlineData("tour-Xraw.strace")]
    [InlineData("tour-Xverbose.strace")]
    [InlineData("tour-yy-Y.strace")]
    [InlineData("tour-raw.strace")]
    public void Every_style_of_strace_says_the_same(string log)
    {
        // Raw, a pointer is all that is shown of a string or structure.
        bool isRaw = log == "tour-raw.strace";
        List<string> expected = Tour("tour-n-i.strace", isRaw);
        List<string> found = Tour(log, isRaw);

        Assert.Equal(isRaw ? 72 : 143, expected.Count);
        Assert.Equal(expected, found);
    }

    private static List<string> Tour(string name, bool withoutPointers)
    {
        StraceLog log = StraceLog.Load(RecordedLogs.PathOf("formats/" + name));
        return [.. log.Calls.Where(call => call.Task == log.Calls[0].Task
                && call.Arguments is not OtherArguments
                && !(withoutPointers && HasPointers(call)))
            .Select(call => $"{call.Name} {Addresses().Replace($"{call.Arguments}", "?")}")];
    }

    private static bool HasPointers(StraceCall call) => call.Arguments is UndecodedArguments
        or ShmCtlArguments or ExecArguments or WriteArguments or OpenArguments or MountArguments
        or MemFdCreateArguments or SwapOnArguments or SwapOffArguments or UMountArguments
        or CapSetArguments or SetGroupsArguments or MBindArguments or SetMemPolicyArguments
        or RLimitArguments or WaitArguments or ProcessMAdviseArguments or PrctlArguments
        or CloneArguments or MRemapArguments or ShmAtArguments or ShmDtArguments
        or MMapArguments { Protection.Bits: 3, Flags.Bits: 0x22, Length: 4096 };

    /// <summary>Addresses, ids of processes and times differ from run to run, and paths are shown
    /// in one style only.</summary>
    [GeneratedRegex(@"\b\d{9,}\b|\b\d{5}\b|Path = [^,]*|Sysctl = \S*|IsDeleted = \w+|"
        + "Value = .*|Status = .*?, Opt")]
    private static partial Regex Addresses();
}
