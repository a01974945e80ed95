using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>shmat, shmdt, and what all calls that name a segment have in common.</summary>
internal sealed partial class Stepper
{
    /// <summary>Segments so long that an address space may have no room for them.</summary>
    private const ulong LongSegment = 1ul << 45;

    /// <summary>The same in an address space of 32 bits.</summary>
    private const ulong LongSegment32 = 1ul << 24;

    private IEnumerable<Configuration> Attach(
        Configuration before, Operation operation, ShmAtArguments made)
    {
        var call = new Abi.ShmAt(
            HandleOf(operation.Task), SegmentRef.Literal(made.Id),
            AddressRef.Literal(made.Address), made.Flags, default);
        return OnSegment(before, operation, made.Id, at => AttachOnce(at, operation, made, call));
    }

    private IEnumerable<Configuration> AttachOnce(
        Configuration before, Operation operation, ShmAtArguments made, Abi.ShmAt call)
    {
        if (Match(before, call, operation) is { } plain)
        {
            yield return plain;
            yield break;
        }

        StraceCall shown = operation.Call!;
        (Configuration after, Reply reply, _) = Step(before, call, operation);
        Segment? segment = FindAtIndex(before, TaskOf(before, operation.Task), made.Id);
        if (segment is null || segment.Id.Value != made.Id)
        {
            yield break;
        }

        ulong start = made.Address - (made.Address % before.State.Config.PageSize);
        ulong end = unchecked(start + segment.Object.Length);
        bool wouldAttach = reply is Reply.Value;
        if (wouldAttach && shown.Result.Errno == Errno.EINVAL && start != 0
            && !made.Flags.Remap && _log.MayBeMapped(start, end))
        {
            yield return WithObstacle(before, operation, start, call);
        }
        else if (wouldAttach && IsRoomUnknown(shown, segment))
        {
            yield return before;
        }
        else if (shown.Result.Succeeded && (_visible.HidesDrops || IsOld(before, operation.Task)))
        {
            ulong place = shown.Result.Address;
            Configuration cleared = Unmap(
                before, operation, place, unchecked(place + segment.Object.Length));
            if (Match(cleared, call, operation) is { } placed)
            {
                yield return placed;
            }
        }
    }

    private bool IsRoomUnknown(StraceCall call, Segment segment) => call.Result.Errno switch
    {
        Errno.ENOMEM => _log.Log.Sidecar is null
            || segment.Object.Length >= (call.Is32Bit ? LongSegment32 : LongSegment),
        Errno.EAGAIN => _log.Log.Sidecar is null,
        _ => false,
    };

    /// <summary>The call fails because something that is no attach lies in its way.</summary>
    private Configuration WithObstacle(
        Configuration before, Operation operation, ulong start, Abi.ShmAt call)
    {
        ulong space = TaskOf(before, operation.Task).Space;
        AddressSpace clear = before.State.Spaces[space];
        var obstacle = new Mapping
        {
            Start = start,
            End = start + before.State.Config.PageSize,
            PageSize = before.State.Config.PageSize,
        };
        Configuration blocked = before with
        {
            State = before.State with
            {
                Spaces = before.State.Spaces.Set(space, clear with
                {
                    Mappings = clear.Mappings.Set(start, obstacle),
                }),
            },
        };
        Configuration after = Step(blocked, call, operation).After;
        return after with
        {
            State = after.State with { Spaces = after.State.Spaces.Set(space, clear) },
        };
    }

    private IEnumerable<Configuration> Detach(
        Configuration before, Operation operation, ShmDtArguments made)
    {
        var call = new ShmDt(HandleOf(operation.Task), AddressRef.Literal(made.Address));
        if (Match(before, call, operation) is { } plain)
        {
            yield return plain;
            yield break;
        }

        StraceResult seen = operation.Call!.Result;
        if (seen.Succeeded && IsOld(before, operation.Task))
        {
            // An attach from before the log: of which segment is not known.
            yield return before with
            {
                Unknowns = before.Unknowns.SetItems(before.State.Segments.Rows.Select(segment =>
                    KeyValuePair.Create(segment.Location.Value, before.UnknownOf(segment)
                        | Unknown.Attaches | Unknown.LastPid | Unknown.DetachTime))),
            };
        }
        else if (seen.Errno == Errno.EINVAL && _visible.HidesDrops)
        {
            Mapping? gone = SpaceOf(before, operation.Task).Mappings.Rows.FirstOrDefault(
                mapping => mapping.Start - mapping.Offset * before.State.Config.PageSize
                    == made.Address);
            if (gone is not null)
            {
                yield return Unmap(before, operation, gone.Start, gone.End);
            }
        }
    }

    /// <summary>A call that names a segment: explained as the state is known, or by what is not
    /// known of it.</summary>
    private IEnumerable<Configuration> OnSegment(
        Configuration before, Operation operation, int id,
        Func<Configuration, IEnumerable<Configuration>> attempt)
    {
        List<Configuration> plain = [.. attempt(before)];
        if (plain.Count > 0)
        {
            return plain;
        }

        StraceCall shown = operation.Call!;
        StraceResult seen = shown.Result;
        KernelTask caller = TaskOf(before, operation.Task);
        bool isRefused = seen.Errno == RefusalOf(shown.Arguments);
        bool isIndex = shown.Arguments is ShmCtlArguments
        {
            Command: ShmCommand.SHM_STAT or ShmCommand.SHM_STAT_ANY,
        };
        int full = isIndex && seen.Succeeded ? (int)seen.Value : id;
        Segment? segment = FindAtIndex(before, caller, id);
        // An attach that was moved unseen may have kept a removed segment.
        bool mayExist = KnowledgeFor(before, caller.Namespace).HasHidden
            || (_visible.HidesDrops && _log.IsMade(full));
        if (segment is null && full >= 0 && mayExist)
        {
            return isRefused ? [before] : !seen.Succeeded ? []
                : attempt(AddForeign(before, operation, full, null, 1));
        }

        if (segment is null || (!isIndex && segment.Id.Value != id))
        {
            return [];
        }

        if (DoubtsRights(before, segment) && isRefused)
        {
            return [before];
        }

        if (DoubtsRights(before, segment) && seen.Succeeded)
        {
            return WithAllRights(before, operation.Task, attempt);
        }

        bool isGone = seen.Errno is Errno.EINVAL or Errno.EIDRM;
        if (isGone && _visible.HidesDrops && segment.Destroyed)
        {
            return attempt(DropAll(before, operation, segment));
        }

        return isGone && before.HasStrangers && OwnAttaches(before, segment) == 0
            ? attempt(Remove(before, segment)) : [];
    }

    /// <summary>The error of a call that the caller has no right to.</summary>
    private static Errno RefusalOf(SyscallArguments arguments) => arguments is ShmCtlArguments
    {
        Command: ShmCommand.IPC_SET or ShmCommand.IPC_RMID or ShmCommand.SHM_LOCK
            or ShmCommand.SHM_UNLOCK,
    } ? Errno.EPERM : Errno.EACCES;

    /// <summary>All attaches of a segment go unseen.</summary>
    private Configuration DropAll(Configuration before, Operation operation, Segment segment)
    {
        Configuration after = before;
        foreach (KernelTask task in before.State.Tasks.Rows)
        {
            foreach (Mapping mapping in SpaceOf(before, task.Tid).Mappings.Rows.Where(
                mapping => mapping.Segment == segment.Location))
            {
                after = Unmap(
                    after, operation with { Task = task.Tid }, mapping.Start, mapping.End);
            }
        }

        return after;
    }

    /// <summary>A stranger has removed a segment.</summary>
    private static Configuration Remove(Configuration before, Segment segment)
    {
        IpcNamespace ns = before.State.Namespaces[(ulong)segment.Namespace];
        ulong pages = new ByteCount(segment.Size).InUnitsOf(new(before.State.Config.PageSize));
        return before with
        {
            Unknowns = before.Unknowns.Remove(segment.Location.Value),
            State = before.State with
            {
                Segments = before.State.Segments.Remove(segment.Location.Value),
                Namespaces = before.State.Namespaces.Set((ulong)ns.Number, ns with
                {
                    InUse = ns.InUse - 1, Total = ns.Total - pages,
                }),
            },
        };
    }

    private static bool IsOld(Configuration at, int task) =>
        at.OldSpaces.Contains(TaskOf(at, task).Space);

    /// <summary>Unmaps what is mapped in a range, whoever did it.</summary>
    private Configuration Unmap(
        Configuration before, Operation operation, ulong start, ulong end)
    {
        Configuration after = before;
        foreach (Mapping mapping in SpaceOf(before, operation.Task).Mappings.Rows)
        {
            ulong first = ulong.Max(start, mapping.Start);
            ulong last = ulong.Min(end, mapping.End);
            if (last > first)
            {
                var call = new MUnmap(
                    HandleOf(operation.Task), AddressRef.Literal(first), last - first);
                after = Step(after, call, operation).After;
            }
        }

        return after;
    }
}
