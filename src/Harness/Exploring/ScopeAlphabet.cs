using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exploring;

/// <summary>Writes the alphabet of a scope: each family of calls with every handle that the
/// bounds allow. Handles are used again once what they stood for has gone, the lowest one first.
/// </summary>
internal sealed class ScopeAlphabet(ScopeBounds bounds, MachineConfig machine)
{
    private const int PlainMode = 0x180;
    private readonly ImmutableArray<ScopeCall>.Builder _calls =
        ImmutableArray.CreateBuilder<ScopeCall>();

    /// <summary>The calls so far.</summary>
    public ImmutableArray<ScopeCall> Calls => _calls.ToImmutable();

    private IEnumerable<int> Processes => Enumerable.Range(0, bounds.Processes);

    private IEnumerable<int> Segments => Enumerable.Range(0, bounds.Segments);

    private IEnumerable<int> Attaches => Enumerable.Range(0, bounds.Attaches);

    /// <summary>shmget of a segment of each kind.</summary>
    public ScopeAlphabet Get()
    {
        for (int kind = 0; kind < bounds.Kinds.Length; kind++)
        {
            foreach (int caller in Processes)
            {
                foreach (int made in Segments)
                {
                    AddGet(kind, caller, made);
                }
            }
        }

        return this;
    }

    /// <summary>shmat of every segment at the first address that is free.</summary>
    public ScopeAlphabet Attach(params ImmutableArray<int> flags)
    {
        foreach (int caller in Processes)
        {
            foreach (int segment in Segments)
            {
                foreach (int attach in Attaches)
                {
                    foreach (int flag in flags)
                    {
                        Add(new ShmAt(P(caller), S(segment), At(attach), new(flag), default),
                            view => view.IsAlive(caller) && view.SegmentAt(segment) is not null
                                && view.FirstUnmapped(caller) == attach);
                    }
                }
            }
        }

        return this;
    }

    /// <summary>shmdt of every attach.</summary>
    public ScopeAlphabet Detach() => Mapped(
        (caller, attach) => new ShmDt(P(caller), At(attach)), segment => true);

    /// <summary>Writes to every page that is or was mapped.</summary>
    public ScopeAlphabet Store() => MappedPages(
        (caller, attach, page) => new Store(P(caller), At(attach), new(page), 1));

    /// <summary>Reads of every page that is or was mapped.</summary>
    public ScopeAlphabet Load() => MappedPages(
        (caller, attach, page) => new Load(P(caller), At(attach), new(page)));

    /// <summary>munmap of one page of segments of several.</summary>
    public ScopeAlphabet UnmapPage() => MappedPages(
        (caller, attach, page) => new MUnmap(
            P(caller), ScopeBounds.AttachRef(machine, attach, page), machine.PageSize),
        leastPages: 2);

    /// <summary>madvise over each whole attach.</summary>
    public ScopeAlphabet Advise(params ImmutableArray<Advice> advices)
    {
        foreach (Advice advice in advices)
        {
            Mapped(
                (caller, attach) => new MAdvise(
                    P(caller), At(attach), LargestNormal, advice),
                segment => !segment.Object.IsHuge && segment.Size == LargestNormal);
            Mapped(
                (caller, attach) => new MAdvise(
                    P(caller), At(attach), machine.PageSize, advice),
                segment => !segment.Object.IsHuge && segment.Size != LargestNormal);
        }

        return this;
    }

    /// <summary>mlock and munlock of the first page of each attach.</summary>
    public ScopeAlphabet LockPages() => Mapped(
            (caller, attach) => new MLock(P(caller), At(attach), machine.PageSize),
            segment => !segment.Object.IsHuge)
        .Mapped(
            (caller, attach) => new MUnlock(P(caller), At(attach), machine.PageSize),
            segment => !segment.Object.IsHuge);

    /// <summary>fork by every process.</summary>
    public ScopeAlphabet Fork()
    {
        foreach (int caller in Processes)
        {
            foreach (int child in Processes)
            {
                Add(new Fork(P(caller), P(child)),
                    view => view.IsAlive(caller) && view.FirstDead == child);
            }
        }

        return this;
    }

    /// <summary>exit_group of every process.</summary>
    public ScopeAlphabet Exit()
    {
        foreach (int caller in Processes)
        {
            Add(new ExitGroup(P(caller)), view => view.IsAlive(caller));
        }

        return this;
    }

    /// <summary>IPC_RMID of every segment, by the first process alive: it matters not whose call
    /// it is.</summary>
    public ScopeAlphabet Remove() => EachSegment(
        (caller, segment) => new ShmCtlRmid(P(caller), S(segment)), _ => true);

    /// <summary>SHM_LOCK of every segment that is not locked, and SHM_UNLOCK of those that are.
    /// </summary>
    public ScopeAlphabet Lock() => EachSegment(
            (caller, segment) => new ShmCtlLock(P(caller), S(segment)), s => !s.IsLocked)
        .EachSegment(
            (caller, segment) => new ShmCtlUnlock(P(caller), S(segment)), s => s.IsLocked);

    /// <summary>IPC_STAT of every segment.</summary>
    public ScopeAlphabet Stat() => EachSegment(
        (caller, segment) => new ShmCtlStat(P(caller), S(segment)), _ => true);

    /// <summary>SHM_INFO.</summary>
    public ScopeAlphabet Info() => First(caller => new ShmCtlShmInfo(P(caller)));

    /// <summary>The event reclaim of all pages of every normal segment.</summary>
    public ScopeAlphabet Reclaim()
    {
        foreach (int segment in Segments)
        {
            Add(new Reclaim(new SegmentHandle(segment + 1), new(0, LargestNormal
                    / machine.PageSize - 1)),
                view => view.SegmentAt(segment) is { Object.IsHuge: false });
        }

        return this;
    }

    /// <summary>swapoff and swapon.</summary>
    public ScopeAlphabet Swap() => First(
            caller => new SwapOff(P(caller)), view => view.State.SwapInUse)
        .First(caller => new SwapOn(P(caller)), view => !view.State.SwapInUse);

    /// <summary>A knob of the machine, with each of some values that it does not have.</summary>
    public ScopeAlphabet Set(
        Sysctl name, Func<ScopeView, ulong> present, params ImmutableArray<ulong> values)
    {
        foreach (ulong value in values)
        {
            Add(new SetSysctl(name, value),
                view => view.FirstAlive >= 0 && present(view) != value);
        }

        return this;
    }

    private ulong LargestNormal =>
        bounds.Kinds.Where(kind => !kind.Flags.HugeTlb).Max(kind => kind.Size);

    private void Add(Call call, Func<ScopeView, bool> isEnabled) =>
        _calls.Add(new ScopeCall(call, isEnabled, (int)call.Kind));

    private void AddGet(int kind, int caller, int made)
    {
        SegmentKind wanted = bounds.Kinds[kind];
        var flags = new ShmGetFlags(wanted.Flags.Raw | ShmGetFlags.IPC_CREAT | PlainMode);
        Add(new ShmGet(P(caller), ShmKey.Private, wanted.Size, flags, new(made + 1)),
            view => view.IsAlive(caller) && view.FirstFree == made
                && view.CountOf(kind) < wanted.Most);
    }

    private ScopeAlphabet First(
        Func<int, Call> call, Func<ScopeView, bool>? isEnabled = null)
    {
        foreach (int caller in Processes)
        {
            Add(call(caller),
                view => view.FirstAlive == caller && isEnabled?.Invoke(view) != false);
        }

        return this;
    }

    private ScopeAlphabet EachSegment(
        Func<int, int, Call> call, Func<Spec.Segment, bool> isEnabled)
    {
        foreach (int segment in Segments)
        {
            First(caller => call(caller, segment),
                view => view.SegmentAt(segment) is { } found && isEnabled(found));
        }

        return this;
    }

    private ScopeAlphabet Mapped(
        Func<int, int, Call> call, Func<Spec.Segment, bool> isEnabled)
    {
        foreach (int caller in Processes)
        {
            foreach (int attach in Attaches)
            {
                Add(call(caller, attach),
                    view => view.MappedAt(caller, attach) is { } found && isEnabled(found));
            }
        }

        return this;
    }

    private ScopeAlphabet MappedPages(Func<int, int, ulong, Call> call, ulong leastPages = 1)
    {
        for (ulong page = 0; page < LargestNormal / machine.PageSize; page++)
        {
            ulong touched = page;
            Mapped(
                (caller, attach) => call(caller, attach, touched),
                segment => segment.Object.PageCount > touched
                    && segment.Object.PageCount >= leastPages);
        }

        return this;
    }

    private AddressRef At(int attach) => ScopeBounds.AttachRef(machine, attach);

    private static ProcessHandle P(int process) => new(process + 1);

    private static SegmentRef S(int segment) => new SegmentHandle(segment + 1);
}
