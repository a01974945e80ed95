using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

public class CheckpointTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Rolling_back_leaves_no_trace(int first)
    {
        for (int seed = first; seed < 120; seed += 2)
        {
            MachineConfig config = RandomCalls.SmallMachine(seed);
            var run = new Run(config);
            var calls = new RandomCalls(seed, config);
            for (int round = 0; round < 8; round++)
            {
                MakeSome(run, calls, 12);
                State before = State.Of(run);
                run.System.Mark();
                MakeSome(run, calls, 15);
                run.System.RollBack();
                before.AssertSame(State.Of(run));
                run.Machine.CheckConsistency();
            }
        }
    }

    [Fact]
    public void Marks_nest()
    {
        for (int seed = 200; seed < 260; seed++)
        {
            MachineConfig config = RandomCalls.SmallMachine(seed);
            var run = new Run(config);
            var calls = new RandomCalls(seed, config);
            var random = new Random(seed);
            var states = new Stack<State>();
            for (int step = 0; step < 60; step++)
            {
                int choice = random.Next(4);
                if (choice == 0 && states.Count > 0)
                {
                    run.System.RollBack();
                    states.Pop().AssertSame(State.Of(run));
                }
                else if (choice == 1 && states.Count > 1)
                {
                    run.System.Commit();
                    states.Pop();
                }
                else
                {
                    states.Push(State.Of(run));
                    run.System.Mark();
                    MakeSome(run, calls, 4);
                }
            }

            for (; states.Count > 0; states.Pop().AssertSame(State.Of(run)))
            {
                run.System.RollBack();
            }
        }
    }

    [Fact]
    public void A_restored_machine_goes_on_as_the_saved_one_would_have()
    {
        for (int seed = 400; seed < 480; seed++)
        {
            MachineConfig config = RandomCalls.SmallMachine(seed);
            var run = new Run(config);
            var calls = new RandomCalls(seed, config);
            MakeSome(run, calls, 60);
            Run copy = run.Copy();
            State.Of(run).AssertSame(State.Of(copy));
            for (int step = 0; step < 60; step++)
            {
                Call call = calls.Next(run.System, run.Bindings);
                Assert.Equal(run.Make(call), copy.Make(call));
            }

            State.Of(run).AssertSame(State.Of(copy));
        }
    }

    [Fact]
    public void A_mark_that_is_committed_keeps_what_was_done()
    {
        MachineConfig config = RandomCalls.SmallMachine(3);
        var run = new Run(config);
        run.System.Mark();
        MakeSome(run, new RandomCalls(3, config), 30);
        State after = State.Of(run);
        run.System.Commit();
        after.AssertSame(State.Of(run));
        Assert.Throws<InvalidOperationException>(run.System.RollBack);
    }

    [Fact]
    public void Bytes_that_are_no_saved_machine_are_refused()
    {
        var run = new Run(new MachineConfig());
        byte[] saved = run.System.Save();
        Assert.Throws<FormatException>(() => run.System.Restore([]));
        Assert.Throws<FormatException>(() => run.System.Restore(saved.AsSpan(1)));
        Assert.Throws<FormatException>(() => run.System.Restore(saved.AsSpan(..^8)));
        for (int at = 0; at < saved.Length; at += 5)
        {
            byte[] damaged = [.. saved];
            damaged[at] ^= 0x10;
            Assert.Throws<FormatException>(() => run.System.Restore(damaged));
        }
    }

    [Fact]
    public void Canonical_bytes_tell_states_apart_that_calls_can_tell_apart()
    {
        var seen = new Dictionary<string, string>();
        foreach ((string name, Call[] calls) in DifferentStates())
        {
            var run = new Run(new MachineConfig
            {
                Frames = 64, SwapSlots = 8, HugePages = 4, HugePageSize = 16384,
                SwapKind = SwapKind.Asynchronous,
            });
            Assert.All(calls, call => Assert.True(run.Make(call)!.Succeeded, $"{name}: {call}"));
            string form = Convert.ToHexString(run.Canonical(CanonicalForm.Renamed));
            Assert.True(
                seen.TryAdd(form, name), $"{name} looks like {seen.GetValueOrDefault(form)}");
        }
    }

    [Fact]
    public void Canonical_bytes_do_not_depend_on_the_way_to_a_state()
    {
        Run direct = Made([NewSegment(1), Attach(1)]);
        Run detour = Made([
            new Fork(P1, new(2)), NewSegment(9), new ShmCtlRmid(P1, new SegmentHandle(9)),
            new ExitGroup(new(2)), NewSegment(1), Attach(1), Write(0), Advised(Advice.MADV_REMOVE),
        ]);
        Assert.Equal(direct.Canonical(CanonicalForm.Renamed),
            detour.Canonical(CanonicalForm.Renamed));
        Assert.NotEqual(direct.Canonical(CanonicalForm.Exact),
            detour.Canonical(CanonicalForm.Exact));
    }

    private static ProcessHandle P1 => ProcessHandle.First;

    private static Run Made(Call[] calls)
    {
        var run = new Run(new MachineConfig { Frames = 64, SwapSlots = 8 });
        Assert.All(calls, call => Assert.True(run.Make(call)!.Succeeded, $"{call}"));
        return run;
    }

    private static ShmGet NewSegment(int handle, int flags = 0) => new(
        P1, ShmKey.Private, 8192, new(ShmGetFlags.IPC_CREAT | 0x1b6 | flags), new(handle));

    private static ShmAt Attach(int segment, int flags = 0, ulong page = 0) => new(
        P1, new SegmentHandle(segment), AddressRef.Window(page), new(flags), new(1));

    private static Store Write(ulong page, byte value = 7) =>
        new(P1, AddressRef.Window(page), default, value);

    private static Load Read(ulong page) => new(P1, AddressRef.Window(page), default);

    private static MAdvise Advised(Advice advice) =>
        new(P1, AddressRef.Window(0), 8192, advice);

    private static IEnumerable<(string Name, Call[] Calls)> DifferentStates()
    {
        Call[] attached = [NewSegment(1), Attach(1)];
        Call[] written = [.. attached, Write(0)];
        Call[] swapped = [.. written, Advised(Advice.MADV_PAGEOUT)];
        yield return ("nothing", []);
        yield return ("a segment", [NewSegment(1)]);
        yield return ("a segment without reserve", [NewSegment(1, ShmGetFlags.SHM_NORESERVE)]);
        yield return ("a huge segment", [NewSegment(1, ShmGetFlags.SHM_HUGETLB)]);
        yield return ("attached", attached);
        yield return ("attached for reading", [NewSegment(1), Attach(1, ShmAtFlags.SHM_RDONLY)]);
        yield return ("attached elsewhere", [NewSegment(1), Attach(1, 0, 3)]);
        yield return ("condemned", [.. attached, new ShmCtlRmid(P1, new SegmentHandle(1))]);
        yield return ("locked", [.. attached, new ShmCtlLock(P1, new SegmentHandle(1))]);
        yield return ("split", [.. attached,
            new MLock(P1, AddressRef.Window(0), 4096, true),
            new MUnlock(P1, AddressRef.Window(0), 4096)]);
        yield return ("read", [.. attached, Read(0)]);
        yield return ("read, then written through", [.. attached, Read(0), Write(0)]);
        yield return ("written", written);
        yield return ("written otherwise", [.. attached, Write(0, 8)]);
        yield return ("written elsewhere", [.. attached, Write(1)]);
        yield return ("written, unmapped", [.. written, Advised(Advice.MADV_DONTNEED)]);
        yield return ("in the swap cache", swapped);
        yield return ("in swap", [.. swapped, new Reclaim(new(1), new(0, 1))]);
        yield return ("with a dropped page that is still charged", [
            NewSegment(1, ShmGetFlags.SHM_NORESERVE), Attach(1), Read(0),
            Advised(Advice.MADV_PAGEOUT)]);
        yield return ("with a lost reservation", [
            NewSegment(1, ShmGetFlags.SHM_HUGETLB), Attach(1), Write(0),
            new MAdvise(P1, AddressRef.Window(0), 16384, Advice.MADV_REMOVE)]);
        yield return ("with private memory", [PrivateMemory(MapFlags.MAP_FIXED)]);
        yield return ("with private memory, written", [
            PrivateMemory(MapFlags.MAP_FIXED), Write(0, 0)]);
        yield return ("with a limit", [new SetRLimit(P1, Resource.RLIMIT_AS, 1 << 20)]);
        yield return ("keeping capabilities", [new KeepCaps(P1, true)]);
        yield return ("with another group", [new SetGroups(P1, [5])]);
        yield return ("two processes", [new Fork(P1, new(2))]);
        yield return ("two threads", [new Clone(
            P1, CloneFlags.CLONE_VM | CloneFlags.CLONE_THREAD, new(2))]);
        yield return ("two processes in one address space", [new Clone(
            P1, CloneFlags.CLONE_VM, new(2))]);
        yield return ("waiting", [new VFork(P1, new(2))]);
        yield return ("two processes, the second in a namespace of its own", [
            new Clone(P1, CloneFlags.CLONE_NEWIPC, new(2))]);
        yield return ("two processes, the first in a namespace of its own", [
            new Fork(P1, new(2)), new Unshare(P1)]);
        yield return ("in another namespace", [new Unshare(P1)]);
        yield return ("in another namespace, with an attach", [.. attached, new Unshare(P1)]);
        yield return ("with a limit of the namespace", [new SetSysctl(Sysctl.ShmMni, 5)]);
        yield return ("in another namespace, with a limit of it", [
            new Unshare(P1), new SetSysctl(Sysctl.ShmMni, 5, P1)]);
        yield return ("an orphan", [new Fork(P1, new(2)), NewSegment(1) with { Caller = new(2) },
            new ExitGroup(new(2))]);
    }

    private static MMap PrivateMemory(MapFlags flags) => new(P1, AddressRef.Window(0), 8192,
        Protection.PROT_READ | Protection.PROT_WRITE, flags, new(1));

    private static void MakeSome(Run run, RandomCalls calls, int count)
    {
        for (int i = 0; i < count; i++)
        {
            run.Make(calls.Next(run.System, run.Bindings));
        }
    }

    private sealed record State(string Saved, string Exact, string Renamed)
    {
        public static State Of(Run run) => new(
            Convert.ToHexString(run.System.Save()),
            Convert.ToHexString(run.Canonical(CanonicalForm.Exact)),
            Convert.ToHexString(run.Canonical(CanonicalForm.Renamed)));

        public void AssertSame(State other) => Assert.Equal(this, other);
    }
}
