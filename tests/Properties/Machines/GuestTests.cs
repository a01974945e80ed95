using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Live;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Properties.Machines;

/// <summary>What becomes of a guest that is not there, and of one that is lost.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class GuestTests : IDisposable
{
    private static readonly Call Get = new ShmGet(
        ProcessHandle.First, ShmKey.Private, 4096, new ShmGetFlags(0x180), new SegmentHandle(1));

    private readonly TemporaryFolder _folder = new();

    private string Log => Path.Combine(_folder.Path, "log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_guest_that_is_not_there_ends_a_check_with_3_and_the_command_that_gets_it()
    {
        foreach (Guest guest in new[]
        {
            QemuGuest.All[0] with { Program = "sh", Build = new AgentBuild("sh", true, "") },
            QemuGuest.All[0] with { Program = "no-such-program" },
        })
        {
            using var system = new GuestFactory(guest, _folder.Path);
            CommandRun run = CommandRun.On(
                system, "check", "--system", guest.Name, "--steps", "1", "--out", _folder.Path);
            Assert.Equal(3, run.Code);
            Assert.EndsWith(
                ": shmcheck systems --fetch qemu:6.1\n", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Where_addresses_differ_from_those_of_x86_nothing_is_asked()
    {
        var addresses = new UserAddresses(1ul << 46);
        Assert.True(addresses.Allows(Unmap(AddressRef.Window(3), 4096)));
        Assert.True(addresses.Allows(Unmap(AddressRef.Null, ulong.MaxValue)));
        Assert.True(UserAddresses.Usual.Allows(Unmap(AddressRef.Null, MachineConfig.TaskSize)));
        Assert.False(addresses.Allows(Unmap(AddressRef.Null, MachineConfig.TaskSize)));
        Assert.False(addresses.Allows(Unmap(AddressRef.Literal(1ul << 46), 4096)));
        Assert.False(addresses.Allows(Unmap(AddressRef.Literal(1ul << 63), 4096)));
        Assert.False(addresses.Allows(new MAdvise(
            ProcessHandle.First, AddressRef.Literal(1ul << 63), 4096, Advice.MADV_PAGEOUT)));
    }

    [Theory]
    [InlineData(MapFlags.None, false, true)]
    [InlineData(MapFlags.None, true, false)]
    [InlineData(MapFlags.MAP_FIXED, true, true)]
    public void A_hint_at_no_address_is_left_out_where_it_asks_for_more_of_them(
        MapFlags flags, bool hintsWiden, bool asked)
    {
        var call = new MMap(
            ProcessHandle.First, AddressRef.Literal(0xffff_ffff_ffff_0000), 4096,
            Protection.PROT_READ, flags, new MappingHandle(1));
        Assert.Equal(asked, new UserAddresses(1ul << 46, hintsWiden).Allows(call));
    }

    [Theory]
    [InlineData(0xf000, MRemapFlags.MREMAP_DONTUNMAP, false)]
    [InlineData(0x10000, MRemapFlags.MREMAP_DONTUNMAP, true)]
    [InlineData(0xf000, MRemapFlags.MREMAP_FIXED, true)]
    public void A_hint_of_mremap_that_only_x86_takes_is_left_out_elsewhere(
        int hint, MRemapFlags flags, bool asked)
    {
        var call = new MRemap(
            ProcessHandle.First, AddressRef.Window(0), 4096, 4096,
            MRemapFlags.MREMAP_MAYMOVE | flags, AddressRef.Literal((ulong)hint),
            new MappingHandle(1));
        Assert.Equal(asked, new UserAddresses(1ul << 46).Allows(call));
        Assert.True(UserAddresses.Usual.Allows(call));
    }

    private static MUnmap Unmap(AddressRef start, ulong length) =>
        new(ProcessHandle.First, start, length);

    [Fact]
    public void What_is_no_guest_has_nothing_to_fetch()
    {
        CommandRun run = CommandRun.Of("systems", "--fetch", "spec");
        Assert.Equal(2, run.Code);
        Assert.Contains("spec has nothing to fetch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_guest_that_was_lost_is_booted_again_and_set_up_like_the_first()
    {
        using GuestFactory factory = Factory(refusal: "");
        string[] first = RunOnce(factory);
        File.Delete(Log);
        string[] second = RunOnce(factory);
        Assert.Equal("boot", second[0]);
        Assert.Contains("sysctl vm.overcommit_memory 1", second);
        Assert.Contains("swap /dev/zram0 3", second);
        Assert.Equal(first.Where(line => line is not ("caps " or "swap /dev/zram0 0")), second);
    }

    [Fact]
    public void A_guest_that_cannot_be_what_a_run_wants_any_more_is_booted_again()
    {
        string spoilt = Path.Combine(_folder.Path, "spoilt");
        using GuestFactory factory = Factory(
            $"[ \"$rest\" = 'vm.nr_hugepages 0' ] && mkdir {spoilt} && echo err EINVAL "
                + "&& continue;");
        string[] lines = RunOnce(factory);
        Assert.Equal(2, lines.Count(line => line == "boot"));
    }

    /// <remarks>It panics in the calls that were handed over at once, and when they are made one
    /// by one.</remarks>
    [Fact]
    public void A_guest_that_panics_is_a_finding_and_the_run_goes_on_with_a_fresh_one()
    {
        string over = Path.Combine(_folder.Path, "over");
        using GuestFactory factory = Factory(
            refusal: "",
            onGet: $"mkdir {over} 2>/dev/null || mkdir {over}/again 2>/dev/null "
                + "&& echo 'Kernel panic - not syncing: sysrq' >&2 && exit 0; echo err ENOMEM",
            hugePages: "");
        CommandRun run = CommandRun.On(
            factory, "check", "--steps", "1", "--seed", "3", "--out", _folder.Path);

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(
            "it said: Kernel panic - not syncing: sysrq", run.Out, StringComparison.Ordinal);
        Assert.Contains(
            "# diverges: system.threw | AgentDiedException | ShmGet", Traces(),
            StringComparison.Ordinal);
        Assert.Contains(
            "# diverges: shmget.", Traces(), StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(Log).Count(line => line == "boot"));
    }

    [Fact]
    public void A_guest_whose_program_ends_before_its_agent_greets_ends_a_check_with_3()
    {
        using var factory = new GuestFactory(
            Scripted("echo 'no such machine' >&2; exit 1"), _folder.Path);
        CommandRun run = CommandRun.On(
            factory, "check", "--steps", "1", "--out", _folder.Path);

        Assert.Equal(
            (3, "shmcheck: scripted: the agent has ended with exit code 1; "
                + "it said: no such machine\n"),
            (run.Code, run.Error));
    }

    [Fact]
    public void A_guest_that_never_boots_ends_a_check_with_3()
    {
        using var factory = new GuestFactory(
            Scripted("echo 'no root device' >&2; exec sleep 60") with
            {
                BootLimit = TimeSpan.FromSeconds(0.5),
            },
            _folder.Path);
        CommandRun run = CommandRun.On(
            factory, "check", "--steps", "1", "--out", _folder.Path);

        Assert.Equal((3, "shmcheck: scripted: the agent does not answer within 0.5 s; "
                + "it said: no root device\n"), (run.Code, run.Error));
    }

    [Fact]
    public void A_guest_with_a_disk_swaps_to_it_and_needs_its_driver()
    {
        QemuGuest disk = QemuGuest.All.Single(guest => guest.Name == "qemu:6.12:disk");
        QemuGuest zram = QemuGuest.All.Single(guest => guest.Name == "qemu:6.12");

        Assert.Equal((SwapKind.Asynchronous, "/dev/vda"), (disk.SwapKind, disk.SwapDevice));
        Assert.Equal((SwapKind.Synchronous, "/dev/zram0"), (zram.SwapKind, zram.SwapDevice));
        Assert.Equal(zram.Kernel, disk.Kernel);
    }

    [Theory]
    [InlineData("echo \"skipped: $*\"; echo ended 77", 77, "skipped: /dev/null /dev/zram0 3\n")]
    [InlineData("echo ended is no end; echo ended 139", 139, "ended is no end\n")]
    [InlineData("echo begun; echo Kernel panic >&2", -1, "begun\nKernel panic\n")]
    public void A_program_is_given_its_swap_device_in_a_guest_which_says_how_it_ended(
        string script, int code, string told)
    {
        using var runner = ProgramRunner.In(Scripted(script) with
        {
            Build = new AgentBuild("true", IsStatic: true, ""),
        });
        Assert.Equal((code, told), runner.Run("", swapSlots: 3));
    }

    private string Traces() => string.Concat(
        Directory.EnumerateFiles(_folder.Path, "*.shm").Select(File.ReadAllText));

    /// <summary>A guest whose agent ends within the first call.</summary>
    private GuestFactory Factory(
        string refusal, string onGet = "exit 3", string hugePages = " hugepages=2097152") => new(
        Scripted($"""
            echo boot >> {Log}; {ScriptedAgent.Greeting}
            while read task op rest; do
                echo "$op $rest" >> {Log}
                case $task,$op in
                0,caps) echo 'ok release=6.1.0 memory=65536 calls=get,kill{hugePages}';;
                0,start) echo ok 7;;
                0,observe) echo 'ok n 0 0 0 0 0 0 p 7 0 0 0 0 0 g 0 0 0 0 0';;
                0,sysctl) {refusal} echo ok 0;;
                *,get) {onGet};;
                *) echo ok 0;;
                esac
            done
            """),
        _folder.Path);

    private static ScriptedGuest Scripted(string script) => new(script)
    {
        Name = "scripted", Description = "", Program = "sh", Package = "",
        Build = new AgentBuild("sh", IsStatic: true, ""),
    };

    private string[] RunOnce(GuestFactory factory)
    {
        MachineConfig machine = factory.Capabilities.Adapt(
            new MachineConfig { Overcommit = OvercommitMode.Always, SwapSlots = 3 });
        using ISystemUnderTest system = factory.Start(machine);
        Assert.Throws<AgentDiedException>(() => system.Execute(
            Get, new Bindings()));
        return File.ReadAllLines(Log);
    }

    private sealed record ScriptedGuest(string Script) : Guest
    {
        private protected override bool HasKernel(string cache) => true;

        private protected override void FetchKernel(string cache)
        {
        }

        private protected override string Port => "/dev/null";

        private protected override ImmutableArray<string> Boot(string cache, FirstProcess first) =>
            ["sh", "-c", Script, .. first.Arguments];
    }
}
