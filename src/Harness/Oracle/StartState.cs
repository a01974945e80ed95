using System.Collections.Immutable;
using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>What may have been the case at the start of a log.</summary>
/// <param name="Profile">The kernel.</param>
/// <param name="Who">Credentials of the first process.</param>
/// <param name="Bounding">Capabilities that an execve can give.</param>
internal sealed record Hypothesis(KernelProfile Profile, Credentials Who, CapabilitySet Bounding);

/// <summary>Makes the configurations that a log can start from: of the sidecar, and of what is
/// not known without it.</summary>
internal sealed class StartState(IRecording log, Visibility visible)
{
    private const ulong AmpleFrames = 1ul << 40;

    /// <summary>Capabilities of root in a container of the usual kind.</summary>
    private const CapabilitySet Contained = CapabilitySet.CAP_SETGID | CapabilitySet.CAP_SETUID;

    private readonly StraceSidecar? _sidecar = log.Sidecar;

    /// <summary>What can have been the case, the likeliest first.</summary>
    public IEnumerable<Hypothesis> Hypotheses() =>
        from who in People().ToList()
        from profile in Profiles()
        select new Hypothesis(profile, who.Who, who.Bounding);

    /// <summary>The configuration at the start under a hypothesis.</summary>
    public Configuration Under(Hypothesis hypothesis, int firstTask, bool openWorld)
    {
        MachineConfig machine = Machine(hypothesis.Profile);
        SpecState state = Specification.Start(machine, firstTask);
        KernelTask task = state.Tasks.Rows[0] with { Credentials = hypothesis.Who };
        ThreadGroup group = state.Groups.Rows[0] with
        {
            MemLock = _sidecar?.MemlockLimit ?? MachineConfig.DefaultMemLock,
        };
        bool knowsPool = Pool(out HugePool pool);
        state = state with
        {
            Tasks = state.Tasks.Set((ulong)firstTask, task),
            Groups = state.Groups.Set((ulong)firstTask, group),
            Pool = pool,
        };
        // The namespace of the log outlives its processes, which may begin unseen.
        const ulong anchor = int.MaxValue;
        state = state with
        {
            NextSpace = state.NextSpace + 1,
            Spaces = state.Spaces.Set(state.NextSpace, new AddressSpace()),
            Groups = state.Groups.Set(anchor, new ThreadGroup { Tgid = (int)anchor }),
            Tasks = state.Tasks.Set(anchor, task with
            {
                Tid = (int)anchor, Tgid = (int)anchor, Space = state.NextSpace,
            }),
        };
        bool isOld = IsOld();
        var start = new Configuration
        {
            State = state,
            Pool = knowsPool && !visible.HidesWrites
                ? PoolKnowledge.All : PoolKnowledge.Nothing,
            HasStrangers = openWorld || visible.IsPart,
            OldSpaces = isOld ? [task.Space] : [],
        };
        return WithSegments(start).With(0, Namespace());
    }

    private NamespaceKnowledge Namespace()
    {
        bool isListed = _sidecar is { SegmentsBefore.IsDefault: false };
        bool isFresh = _sidecar?.IpcNamespace == "fresh"
            && (!isListed || _sidecar.SegmentsBefore.IsEmpty);
        ulong? hidden = isListed || isFresh ? 0 : null;
        KnownLimits limits = KnownLimits.None;
        limits |= Has(Sysctl.ShmMax) ? KnownLimits.ShmMax : 0;
        limits |= Has(Sysctl.ShmAll) ? KnownLimits.ShmAll : 0;
        limits |= Has(Sysctl.ShmMni) ? KnownLimits.ShmMni : 0;
        limits |= _sidecar is not null ? KnownLimits.NextId : 0;
        limits |= Has(Sysctl.ShmRmidForced) ? KnownLimits.RmidForced : 0;
        return new NamespaceKnowledge(isFresh, hidden, hidden, limits);
        bool Has(Sysctl name) => _sidecar?.Sysctl(name) is not null;
    }

    private Configuration WithSegments(Configuration start)
    {
        if (_sidecar is null || _sidecar.SegmentsBefore.IsDefault)
        {
            return start;
        }

        foreach (SharedMemoryRow row in _sidecar.SegmentsBefore)
        {
            IpcNamespace ns = start.State.Namespaces[0];
            bool isLocked = (row.Mode & SegmentMode.SHM_LOCKED) != 0;
            ulong page = start.State.Config.PageSize;
            ulong pages = new ByteCount(row.Size).InUnitsOf(new(page));
            var id = new ShmId(row.Id);
            SpecState state = start.With(Segment(row, id, page)).State;
            start = start with
            {
                State = state with
                {
                    LockedByUser = isLocked
                        ? state.LockedByUser.Set((uint)row.Uid, pages
                            + (state.LockedByUser.TryGet((uint)row.Uid, out ulong held) ? held : 0))
                        : state.LockedByUser,
                    Committed = state.Committed + pages,
                    Namespaces = state.Namespaces.Set(0, ns with
                    {
                        InUse = ns.InUse + 1,
                        Total = ns.Total + pages,
                        LastIndex = -1,
                    }),
                },
            };
        }

        return start;
    }

    private Segment Segment(SharedMemoryRow row, ShmId id, ulong page) => new()
    {
        Namespace = 0,
        Id = id,
        Key = row.Key,
        Uid = row.Uid,
        Gid = row.Gid,
        Cuid = row.Cuid,
        Cgid = row.Cgid,
        Mode = row.Mode & ShmGetFlags.ModeMask,
        Destroyed = (row.Mode & SegmentMode.SHM_DEST) != 0,
        Size = row.Size,
        CreatorPid = row.CreatorPid,
        LastPid = row.LastPid,
        Creator = log.Events.Any(shown => shown.Task == row.CreatorPid) ? row.CreatorPid : 0,
        Attaches = row.Attaches,
        AttachTime = StampOf(row.AttachTime),
        DetachTime = StampOf(row.DetachTime),
        ChangeTime = StampOf(row.ChangeTime),
        LockedBy = (row.Mode & SegmentMode.SHM_LOCKED) != 0 ? row.Uid : null,
        Object = new MemoryObject { Length = row.Size, PageSize = page, Promised = true },
    };

    private static Stamp StampOf(long second) => second == 0 ? Stamp.Never : Stamp.At(second);

    private bool IsOld()
    {
        if (_sidecar?.Strace is { } command)
        {
            return command.Attaches;
        }

        return log.Calls.Count == 0 || log.Calls[0].Arguments is not ExecArguments;
    }

    private MachineConfig Machine(KernelProfile profile)
    {
        ulong page = _sidecar?.PageSize ?? 4096;
        ulong huge = _sidecar?.Pools
            .FirstOrDefault(pool => pool.Size.Value == 2ul << 20).Total ?? 0;
        var machine = new MachineConfig
        {
            Profile = profile,
            PageSize = page,
            HugePages = huge,
            Frames = AmpleFrames,
            ShmMax = Number(Sysctl.ShmMax) ?? MachineConfig.DefaultShmLimit,
            ShmAll = Number(Sysctl.ShmAll) ?? MachineConfig.DefaultShmLimit,
            ShmMni = (int)(Number(Sysctl.ShmMni) ?? 4096),
            ShmRmidForced = Number(Sysctl.ShmRmidForced) == 1,
            Overcommit = (OvercommitMode)(int)(Number(Sysctl.OvercommitMemory) ?? 0),
            OvercommitRatio = (int)(Number(Sysctl.OvercommitRatio) ?? 50),
            NrOvercommitHugePages = Number(Sysctl.NrOvercommitHugePages) ?? 0,
            HugetlbShmGroup = (int)(Number(Sysctl.HugetlbShmGroup) ?? 0),
            SwapSlots = (_sidecar?.Number("SwapTotal") ?? 0) / page,
        };
        return _sidecar?.Number("MemTotal") is { } memory
            ? machine with { Frames = memory / page - huge * machine.PagesPerHugePage } : machine;
    }

    private ulong? Number(Sysctl name) => _sidecar?.Sysctl(name);

    /// <summary>The pool of the default huge page size.</summary>
    /// <returns>Whether it is known.</returns>
    private bool Pool(out HugePool pool)
    {
        pool = default;
        ImmutableArray<HugePagePool> pools = _sidecar?.Pools ?? [];
        HugePagePool found = pools.FirstOrDefault(one => one.Size.Value == 2ul << 20);
        if (found.Size.Value == 0 || found.Free is null)
        {
            return false;
        }

        bool othersAreEmpty = pools.All(one => one.Size.Value == 2ul << 20 || one.Total == 0);
        if (!othersAreEmpty)
        {
            return false;
        }

        pool = new HugePool(
            found.Total, found.Free.Value, found.Reserved ?? 0, found.Surplus ?? 0);
        return true;
    }

    private IEnumerable<KernelProfile> Profiles()
    {
        string[] parts = _sidecar?.Kernel?.Split('.', '-') ?? [];
        bool isKnown = IsNumber(0, out int major) & IsNumber(1, out int minor);
        bool IsNumber(int at, out int number) => int.TryParse(
            parts.ElementAtOrDefault(at), CultureInfo.InvariantCulture, out number);

        return !isKnown
            ? [KernelProfile.Linux6_18, KernelProfile.Linux6_1, KernelProfile.Linux5_14]
            : (major, minor) switch
            {
                ( > 6, _) or (6, >= 18) => [KernelProfile.Linux6_18],
                (6, >= 12) => [KernelProfile.Linux6_12],
                (6, >= 2) => [KernelProfile.Linux6_12, KernelProfile.Linux6_1],
                (6, _) => [KernelProfile.Linux6_1],
                _ => [KernelProfile.Linux5_14],
            };
    }

    private IEnumerable<(Credentials Who, CapabilitySet Bounding)> People()
    {
        if (_sidecar?.Credentials is { Uid: { } uid } known)
        {
            CapabilitySet all = known.Capabilities is { } bits
                ? (CapabilitySet)bits & CapabilitySet.All
                : uid == 0 ? CapabilitySet.All : CapabilitySet.None;
            yield return (Person(uid, known.Gid ?? uid, all) with
            {
                Groups = known.Groups.IsDefault ? [] : known.Groups,
            }, uid == 0 ? all : CapabilitySet.All);
            yield break;
        }

        yield return (Person(0, 0, CapabilitySet.All), CapabilitySet.All);
        (int Uid, int Gid)[] seen = [.. Seen().Distinct()];
        foreach ((int Uid, int Gid) other in seen.Where(other => other.Uid != 0))
        {
            yield return (Person(other.Uid, other.Gid, CapabilitySet.None), CapabilitySet.All);
        }

        if (!seen.Any(other => other.Uid != 0))
        {
            yield return (Person(65534, 65534, CapabilitySet.None), CapabilitySet.All);
        }

        yield return (Person(0, 0, Contained), Contained);
    }

    /// <summary>Users that the log shows as creators of segments.</summary>
    private IEnumerable<(int Uid, int Gid)> Seen() =>
        from call in log.Calls
        where call.Arguments is ShmCtlArguments { Data: SegmentStat }
        let stat = (SegmentStat)((ShmCtlArguments)call.Arguments).Data!
        select (stat.Cuid, stat.Cgid);

    private static Credentials Person(int uid, int gid, CapabilitySet rights) => new()
    {
        Uid = uid, Euid = uid, Suid = uid, Gid = gid, Egid = gid, Sgid = gid,
        Permitted = rights, Effective = rights,
    };
}
