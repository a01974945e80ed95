using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>shmget.</summary>
internal sealed partial class Stepper
{
    private List<Configuration> Get(
        Configuration before, Operation operation, ShmGetArguments made)
    {
        var call = new Abi.ShmGet(
            HandleOf(operation.Task), made.Key, made.Size, made.Flags, default);
        var explained = new List<Configuration>();
        Configuration? plain = Match(before, call, operation);
        if (plain is not null)
        {
            explained.Add(AfterGet(before, plain, operation));
        }

        if (IsForeign(before, operation, made) is { } foreign
            && (plain is null || MayBeForeign(before, operation, made))
            && Match(foreign, call, operation) is { } found)
        {
            explained.Add(found);
        }

        return explained.Count > 0 ? explained
            : [.. GetByNextId(before, operation, call),
                .. GetByUnknowns(before, operation, made, call)];
    }

    /// <summary>Somebody has written to shm_next_id what the log does not show; or entered
    /// another namespace unseen.</summary>
    private IEnumerable<Configuration> GetByNextId(
        Configuration before, Operation operation, Abi.ShmGet call)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        IpcNamespace ns = before.State.Namespaces[(ulong)caller.Namespace];
        StraceResult seen = operation.Call!.Result;
        if (!seen.Succeeded)
        {
            yield break;
        }

        NamespaceKnowledge knowledge = before.KnowledgeOf(ns.Number);
        bool isLost = Step(before, call, operation).Reply is Reply.Value predicted
            && _log.IsUsedButNeverMade((int)predicted.Result);
        if (!LimitsOf(before, ns.Number).HasFlag(KnownLimits.NextId) && knowledge.Identifiers
            && !isLost && Match(before.With(ns with { NextId = (int)seen.Value }), call, operation)
                is { } requested)
        {
            yield return AfterGet(before, requested, operation).With(ns.Number, knowledge with
            {
                Limits = knowledge.Limits | (_visible.HidesWrites ? 0 : KnownLimits.NextId),
            });
        }

        if (_visible.HidesNamespaces && seen.Value == 0)
        {
            Configuration outside = EnteredAnother(before, operation, NamespaceKnowledge.Empty);
            if (Match(outside, call, operation) is { } made)
            {
                yield return AfterGet(outside, made, operation);
            }
        }
    }

    /// <summary>What is not known of limits, memory, rights and segments may explain it.</summary>
    private IEnumerable<Configuration> GetByUnknowns(
        Configuration before, Operation operation, ShmGetArguments made, Abi.ShmGet call)
    {
        (_, Reply reply, Rule? rule) = Step(before, call, operation);
        StraceResult seen = operation.Call!.Result;
        KernelTask caller = TaskOf(before, operation.Task);
        KnownLimits limits = LimitsOf(before, caller.Namespace);
        if (seen.Kind == ResultKind.Error)
        {
            bool exists = rule?.Id == "shmget.ok.existing";
            bool creates = rule?.Id == "shmget.ok.create";
            bool isHidden = KnowledgeFor(before, caller.Namespace).HasHidden && !exists
                && !made.Key.IsPrivate;
            bool accepted = seen.Errno switch
            {
                Errno.EINVAL => (creates && !limits.HasFlag(KnownLimits.ShmMax)) || isHidden,
                Errno.ENOSPC => creates && (limits & (KnownLimits.ShmAll | KnownLimits.ShmMni))
                    != (KnownLimits.ShmAll | KnownLimits.ShmMni),
                Errno.ENOMEM => IsMemoryUnknown(before, made, rule, reply),
                Errno.EEXIST => isHidden && made.Flags is { Create: true, Exclusive: true },
                Errno.EACCES => (exists && DoubtsRights(
                    before, FindByKey(before, caller, made.Key))) || isHidden,
                Errno.EPERM => made.Flags.HugeTlb && _visible.HidesCredentials,
                Errno.ENOENT => exists && before.HasStrangers,
                _ => false,
            };
            return accepted ? [before] : [];
        }

        return reply is Reply.Error failed
            ? GetWithRoom(before, operation, call, rule!, failed) : [];
    }

    /// <summary>It succeeded where the state as it is known would have refused.</summary>
    private IEnumerable<Configuration> GetWithRoom(
        Configuration before, Operation operation, Abi.ShmGet call, Rule rule, Reply.Error failed)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        IpcNamespace ns = before.State.Namespaces[(ulong)caller.Namespace];
        KnownLimits limits = LimitsOf(before, caller.Namespace);
        Configuration? roomier = rule.Id switch
        {
            "shmget.einval.size-above-shmmax" when !limits.HasFlag(KnownLimits.ShmMax) =>
                before.With(ns with { ShmMax = MachineConfig.DefaultShmLimit }),
            "shmget.enospc.shmall" when !limits.HasFlag(KnownLimits.ShmAll) =>
                before.With(ns with { ShmAll = MachineConfig.DefaultShmLimit }),
            "shmget.enospc.shmmni" when !limits.HasFlag(KnownLimits.ShmMni) =>
                before.With(ns with { ShmMni = ShmId.IndexLimit }),
            "shmget.enomem.huge-reservation" when before.Pool == PoolKnowledge.Nothing => before,
            "shmget.enomem.commit" when !_log.KnowsMemory || _visible.HidesWrites =>
                before with { State = before.State with { Overcommit = OvercommitMode.Always } },
            _ => null,
        };
        if (roomier is not null)
        {
            // What the pool has given is not counted where the pool is not known.
            Abi.ShmGet placed = ReferenceEquals(roomier, before) ? call with
            {
                Flags = new(call.Flags.Raw | ShmGetFlags.SHM_NORESERVE),
            } : call;
            return Match(roomier, placed, operation) is { } after
                ? [AfterGet(roomier, after, operation)] : [];
        }

        Segment? existing = FindByKey(before, caller, call.Key);
        bool isRefused = failed.Errno is Errno.EACCES or Errno.EPERM;
        return isRefused && (DoubtsRights(before, existing) || existing is null)
            && (_visible.HidesCredentials || existing is not null)
            ? WithAllRights(before, operation.Task, raised =>
                Match(raised, call, operation) is { } after
                    ? [AfterGet(raised, after, operation)] : [])
            : [];
    }

    private bool IsMemoryUnknown(
        Configuration before, ShmGetArguments made, Rule? rule, Reply reply)
    {
        bool wouldCreate = reply is Reply.Value && rule?.Id == "shmget.ok.create";
        if (!wouldCreate && rule?.Id != "shmget.enospc.shmmni")
        {
            return false;
        }

        return made.Flags.HugeTlb
            ? before.Pool != PoolKnowledge.All && !made.Flags.NoReserve
            : !_log.KnowsMemory || _visible.HidesWrites
                || before.State.Overcommit == OvercommitMode.Never;
    }

    /// <summary>What is known after a segment was made.</summary>
    private Configuration AfterGet(
        Configuration before, Configuration after, Operation operation)
    {
        KernelTask caller = TaskOf(after, operation.Task);
        IpcNamespace ns = after.State.Namespaces[(ulong)caller.Namespace];
        if (ns.InUse == before.State.Namespaces[(ulong)caller.Namespace].InUse)
        {
            return after;
        }

        NamespaceKnowledge knowledge = after.KnowledgeOf(ns.Number);
        if (!knowledge.Identifiers && !knowledge.HasHidden && !after.HasStrangers)
        {
            after = after.With(ns.Number, knowledge with { Identifiers = true });
        }

        Segment made = after.State.Segments.Rows.First(segment =>
            !before.State.Segments.Contains(segment.Location.Value));
        return DoubtsCredentials
            ? after.With(made, Unknown.Owner | Unknown.Creator) : after;
    }

    /// <summary>With a segment that existed before the log and has this key.</summary>
    private Configuration? IsForeign(
        Configuration before, Operation operation, ShmGetArguments made)
    {
        StraceResult seen = operation.Call!.Result;
        KernelTask caller = TaskOf(before, operation.Task);
        bool mayExist = seen.Succeeded && !made.Key.IsPrivate
            && KnowledgeFor(before, caller.Namespace).HasHidden
            && FindByKey(before, caller, made.Key) is null
            && FindAtIndex(before, caller, (int)seen.Value) is null;
        return mayExist
            ? AddForeign(before, operation, (int)seen.Value, made.Key.Value, made.Size) : null;
    }

    /// <summary>Whether a segment that shmget may have made can be an older one: not if the log
    /// shows later who made it.</summary>
    private bool MayBeForeign(Configuration before, Operation operation, ShmGetArguments made)
    {
        if (!made.Flags.Create)
        {
            return true;
        }

        SegmentStat? sight = _log.FirstSight((int)operation.Call!.Result.Value);
        KernelTask caller = TaskOf(before, operation.Task);
        return !made.Flags.Exclusive && (sight is null || _log.HasPidNamespaces
            || caller.Tgid == Script.Unnamed || sight.CreatorPid != caller.Tgid);
    }

    /// <summary>Adds a segment that existed before the log. What it is comes from its first sight
    /// in the log, where there is one.</summary>
    private Configuration AddForeign(
        Configuration before, Operation operation, int id, int? key, ulong leastSize)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        IpcNamespace ns = before.State.Namespaces[(ulong)caller.Namespace];
        SegmentStat? sight = _log.FirstSight(id);
        ulong size = sight?.SegmentSize ?? ulong.Max(leastSize, 1);
        ulong page = before.State.Config.PageSize;
        var segment = new Segment
        {
            Namespace = ns.Number,
            Id = new ShmId(id),
            Key = key ?? sight?.Key ?? 0,
            Uid = sight?.Uid ?? 0,
            Gid = sight?.Gid ?? 0,
            Cuid = sight?.Cuid ?? 0,
            Cgid = sight?.Cgid ?? 0,
            Mode = sight?.Mode & ShmGetFlags.ModeMask ?? 0x1b6,
            Size = size,
            CreatorPid = sight?.CreatorPid ?? 0,
            Object = new MemoryObject { Length = size, PageSize = page, Promised = true },
        };
        Unknown unknown = Unknown.Changing | (sight is null ? Unknown.All : Unknown.None);
        ulong pages = new ByteCount(size).InUnitsOf(new(page));
        NamespaceKnowledge knowledge = before.KnowledgeOf(ns.Number);
        return before.With(segment)
            .With(ns with { InUse = ns.InUse + 1, Total = ns.Total + pages })
            .With(ns.Number, knowledge with
            {
                HiddenSegments = knowledge.HiddenSegments is { } hidden and > 0
                    ? hidden - 1 : knowledge.HiddenSegments,
                HiddenPages = sight is null ? null : knowledge.HiddenPages is { } left
                    ? left - ulong.Min(left, pages) : null,
            })
            .With(segment, key is null ? unknown : unknown & ~Unknown.Key) with
        {
            State = before.With(segment)
                .With(ns with { InUse = ns.InUse + 1, Total = ns.Total + pages }).State with
            {
                Committed = before.State.Committed + pages,
            },
        };
    }

    private KnownLimits LimitsOf(Configuration at, int ns) =>
        _visible.HidesWrites ? KnownLimits.None : at.KnowledgeOf(ns).Limits;

    /// <summary>Users and groups that structures show may not be those that the log shows.
    /// </summary>
    private bool DoubtsCredentials => _visible.HidesCredentials || _log.HasUserNamespaces;

    /// <summary>Whether the caller's rights on a segment are not known.</summary>
    private bool DoubtsRights(Configuration at, Segment? segment) => DoubtsCredentials
        || (segment is not null
            && (at.UnknownOf(segment) & (Unknown.Owner | Unknown.Mode)) != 0);

    private static Segment? FindByKey(Configuration at, KernelTask caller, ShmKey key) =>
        key.IsPrivate ? null : at.State.Segments.Rows.FirstOrDefault(segment =>
            segment.Namespace == caller.Namespace && segment.Key == key.Value);

    private static Segment? FindAtIndex(Configuration at, KernelTask caller, int id) =>
        id >= 0 && at.State.Segments.TryGet(
            SegmentKey.Of(caller.Namespace, new ShmId(id).Index).Value, out Segment? found)
            ? found : null;
}
