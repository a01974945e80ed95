using System.Diagnostics;
using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>shmctl.</summary>
internal sealed partial class Stepper
{
    private IEnumerable<Configuration> Control(
        Configuration before, Operation operation, ShmCtlArguments made)
    {
        StraceCall shown = operation.Call!;
        ProcessHandle caller = HandleOf(operation.Task);
        SegmentRef segment = SegmentRef.Literal(made.Id);
        bool isBad = made.Data is null
            && (shown.Result.Errno == Errno.EFAULT || made.Buffer == 0);
        if (made.HasIpc64 && !shown.Is32Bit)
        {
            return Plain(before, operation, new ShmCtlOther(caller, segment, made.RawCommand));
        }

        return made.Command switch
        {
            ShmCommand.IPC_STAT => OnSegment(before, operation, made.Id, at => Stat(
                at, operation, made, new ShmCtlStat(caller, segment, isBad))),
            ShmCommand.SHM_STAT or ShmCommand.SHM_STAT_ANY => OnSegment(
                before, operation, made.Id, at => Stat(at, operation, made, new ShmCtlStatIndex(
                    caller, segment, made.Command == ShmCommand.SHM_STAT_ANY, isBad))),
            ShmCommand.IPC_SET => OnSegment(
                before, operation, made.Id, at => Change(at, operation, made)),
            ShmCommand.IPC_RMID => OnSegment(
                before, operation, made.Id, at => Remove(at, operation, made)),
            ShmCommand.SHM_LOCK => OnSegment(before, operation, made.Id, at => Lock(
                at, operation, new ShmCtlLock(caller, segment))),
            ShmCommand.SHM_UNLOCK => OnSegment(before, operation, made.Id, at => Plain(
                at, operation, new ShmCtlUnlock(caller, segment))),
            ShmCommand.IPC_INFO => Info(
                before, operation, made, new ShmCtlIpcInfo(caller, segment, isBad)),
            ShmCommand.SHM_INFO => Info(
                before, operation, made, new ShmCtlShmInfo(caller, segment, isBad)),
            _ => Plain(before, operation, new ShmCtlOther(caller, segment, made.RawCommand)),
        };
    }

    /// <summary>Whether a shmctl changes nothing.</summary>
    public static bool IsObservation(ShmCtlArguments made) => made.Command is ShmCommand.IPC_STAT
        or ShmCommand.SHM_STAT or ShmCommand.SHM_STAT_ANY or ShmCommand.IPC_INFO
        or ShmCommand.SHM_INFO;

    private IEnumerable<Configuration> Plain(
        Configuration before, Operation operation, Call call) =>
        Match(before, call, operation) is { } after ? [after] : [];

    private IEnumerable<Configuration> Stat(
        Configuration before, Operation operation, ShmCtlArguments made, Call call)
    {
        if (Match(before, call, operation) is not { } after)
        {
            return [];
        }

        Segment? segment = FindAtIndex(after, TaskOf(after, operation.Task), made.Id);
        return segment is null || made.Data is not SegmentStat seen
            || !operation.Call!.Result.Succeeded
            ? [after] : Compare(after, operation, segment, seen);
    }

    private IEnumerable<Configuration> Change(
        Configuration before, Operation operation, ShmCtlArguments made)
    {
        bool isShown = made.Change is not null;
        bool isBad = !isShown
            && (operation.Call!.Result.Errno == Errno.EFAULT || made.Buffer == 0);
        int owner = operation.Call!.Result.Errno == Errno.EINVAL ? -1 : 0;
        ShmChange change = made.Change ?? new ShmChange(owner, owner, 0);
        var call = new ShmCtlSet(
            HandleOf(operation.Task), SegmentRef.Literal(made.Id), change.Uid, change.Gid,
            change.Mode, isBad);
        if (Match(before, call, operation) is not { } after)
        {
            return [];
        }

        Segment? segment = FindAtIndex(after, TaskOf(after, operation.Task), made.Id);
        return isShown || segment is null || !operation.Call!.Result.Succeeded ? [after]
            : [after.With(segment, after.UnknownOf(segment) | Unknown.Owner | Unknown.Mode)];
    }

    private IEnumerable<Configuration> Remove(
        Configuration before, Operation operation, ShmCtlArguments made)
    {
        var call = new ShmCtlRmid(HandleOf(operation.Task), SegmentRef.Literal(made.Id));
        Segment? segment = FindAtIndex(before, TaskOf(before, operation.Task), made.Id);
        if (Match(before, call, operation) is { } after)
        {
            yield return after;
        }
        else
        {
            yield break;
        }

        // Attaches that the log does not show may keep it.
        if (segment is { Attaches: 0 }
            && (before.UnknownOf(segment) & Unknown.Attaches) != 0)
        {
            Unknown unknown = before.UnknownOf(segment);
            Configuration attached = before.With(segment with { Attaches = 1 });
            if (Match(attached, call, operation) is { } kept)
            {
                yield return kept.With(kept.State.Segments[segment.Location.Value], unknown);
            }
        }
    }

    private IEnumerable<Configuration> Lock(
        Configuration before, Operation operation, ShmCtlLock call)
    {
        if (Match(before, call, operation) is { } after)
        {
            return [after];
        }

        // Who may lock how much depends on a limit and on what the user has locked before.
        bool isLimitKnown = _log.Log.Sidecar?.MemlockLimit is not null && !DoubtsCredentials;
        Errno? seen = operation.Call!.Result.Errno;
        if (isLimitKnown)
        {
            return [];
        }

        return seen is Errno.ENOMEM or Errno.EPERM
            && Step(before, call, operation).Reply is Reply.Value ? [before]
            : operation.Call.Result.Succeeded
                ? WithAllRights(before, operation.Task, at => Plain(at, operation, call)) : [];
    }

    private IEnumerable<Configuration> Info(
        Configuration before, Operation operation, ShmCtlArguments made, Call call)
    {
        (Configuration after, Reply reply, _) = Step(before, call, operation);
        KernelTask caller = TaskOf(before, operation.Task);
        NamespaceKnowledge knowledge = KnowledgeFor(before, caller.Namespace);
        StraceResult seen = operation.Call!.Result;
        bool agrees = Agrees(operation.Call, reply)
            || (reply is Reply.Value least && seen.Succeeded && knowledge.HasHidden
                && (seen.Value >= least.Result || before.HasStrangers));
        if (!agrees)
        {
            return Plain(before, operation, call);
        }

        return (made.Data, reply) switch
        {
            (ShmLimits limits, Reply.Value { Data: ShmLimits own }) when seen.Succeeded =>
                CompareLimits(after, operation, limits, own),
            (ShmTotals totals, Reply.Value { Data: ShmTotals own }) when seen.Succeeded =>
                CompareTotals(after, operation, totals, own),
            _ => [after],
        };
    }

    private IEnumerable<Configuration> CompareLimits(
        Configuration before, Operation operation, ShmLimits seen, ShmLimits own)
    {
        bool is32Bit = operation.Call!.Is32Bit;
        ulong Shown(ulong value, bool clamps) => !is32Bit ? value
            : clamps ? ulong.Min(value, int.MaxValue) : (uint)value;
        KernelTask caller = TaskOf(before, operation.Task);
        KnownLimits known = LimitsOf(before, caller.Namespace);
        IpcNamespace ns = before.State.Namespaces[(ulong)caller.Namespace];
        var wrong = new List<string>();
        Check(wrong, "shmmin", seen.Min, 1);
        Check(wrong, "shmseg", seen.Seg, seen.Mni);
        if (seen.Max != Shown(ns.ShmMax, true))
        {
            Check(wrong, "shmmax", seen.Max, Shown(ns.ShmMax, true),
                !known.HasFlag(KnownLimits.ShmMax));
            ns = ns with { ShmMax = seen.Max };
        }

        if (seen.All != Shown(ns.ShmAll, false))
        {
            Check(wrong, "shmall", seen.All, Shown(ns.ShmAll, false),
                !known.HasFlag(KnownLimits.ShmAll));
            ns = ns with { ShmAll = seen.All };
        }

        if (seen.Mni != (ulong)ns.ShmMni)
        {
            Check(wrong, "shmmni", seen.Mni, (ulong)ns.ShmMni,
                !known.HasFlag(KnownLimits.ShmMni) && seen.Mni <= ShmId.IndexLimit);
            ns = ns with { ShmMni = (int)ulong.Min(seen.Mni, ShmId.IndexLimit) };
        }

        Debug.Assert(own.Min == 1, "SHMMIN is 1.");
        NamespaceKnowledge knowledge = before.KnowledgeOf(caller.Namespace);
        return Judge(wrong, before.With(ns).With(caller.Namespace, knowledge with
        {
            Limits = knowledge.Limits | (is32Bit ? KnownLimits.ShmMni
                : KnownLimits.ShmMax | KnownLimits.ShmAll | KnownLimits.ShmMni),
        }));
    }

    private IEnumerable<Configuration> CompareTotals(
        Configuration before, Operation operation, ShmTotals seen, ShmTotals own)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        NamespaceKnowledge knowledge = KnowledgeFor(before, caller.Namespace);
        var wrong = new List<string>();
        ulong mask = operation.Call!.Is32Bit ? uint.MaxValue : ulong.MaxValue;
        if (knowledge.HiddenSegments is { } segments)
        {
            Check(wrong, "used_ids", seen.UsedIds, own.UsedIds + segments);
        }
        else if (!before.HasStrangers)
        {
            Check(wrong, "used_ids", seen.UsedIds, own.UsedIds, seen.UsedIds > own.UsedIds);
        }

        if (knowledge.HiddenPages is { } pages)
        {
            Check(wrong, "shm_tot", seen.Total, (own.Total + pages) & mask);
        }
        else if (!before.HasStrangers && knowledge.HiddenSegments is not null)
        {
            Check(wrong, "shm_tot", seen.Total, own.Total, seen.Total > own.Total);
        }

        CheckResidency(wrong, before, operation, seen, caller.Namespace);
        foreach (string name in (ReadOnlySpan<string>)["swap_attempts", "swap_successes"])
        {
            Match shown = Regex.Match(operation.Call.ArgumentText, $@"\b{name}=(\d+)");
            if (shown.Success && shown.Groups[1].Value != "0")
            {
                wrong.Add($"{name}: seen {shown.Groups[1].Value}, allowed 0");
            }
        }

        NamespaceKnowledge learned = before.KnowledgeOf(caller.Namespace);
        return Judge(wrong, before.HasStrangers ? before
            : before.With(caller.Namespace, learned with
            {
                HiddenSegments = learned.HiddenSegments
                    ?? seen.UsedIds - ulong.Min(seen.UsedIds, own.UsedIds),
                HiddenPages = learned.HiddenPages ?? seen.Total - ulong.Min(seen.Total, own.Total),
            }));
    }

    /// <summary>Pages in memory and in swap: as many as segments have that were ever attached.
    /// </summary>
    private void CheckResidency(
        List<string> wrong, Configuration at, Operation operation, ShmTotals seen, int ns)
    {
        NamespaceKnowledge knowledge = KnowledgeFor(at, ns);
        if (knowledge.HasHidden)
        {
            return;
        }

        ulong pages = 0;
        ulong huge = 0;
        ulong page = at.State.Config.PageSize;
        foreach (Segment segment in at.State.Segments.Rows.Where(s => s.Namespace == ns))
        {
            bool untouched = segment.AttachTime == default
                && (at.UnknownOf(segment) & Unknown.AttachTime) == 0;
            ulong length = untouched && !IsBeingAttached(operation, segment) ? 0
                : new ByteCount(segment.Object.Length).InUnitsOf(new(page));
            pages += segment.Object.IsHuge ? 0 : length;
            huge += segment.Object.IsHuge ? length : 0;
        }

        ulong perHuge = at.State.Config.PagesPerHugePage;
        ulong most = pages + huge;
        bool isDefect = seen.Resident > most && huge > 0
            && seen.Resident <= pages + huge * perHuge;
        Check(wrong, "shm_rss", seen.Resident, most, seen.Resident <= most || isDefect, "at most ");
        ulong mostSwapped = _log.HasNoSwap ? 0 : pages;
        Check(wrong, "shm_swp", seen.Swapped, mostSwapped, seen.Swapped <= mostSwapped, "at most ");
        if (!isDefect && seen.Resident <= most && seen.Swapped <= mostSwapped)
        {
            Check(wrong, "shm_rss + shm_swp", seen.Resident + seen.Swapped, most,
                seen.Resident + seen.Swapped <= most, "at most ");
        }

        if (pages == 0 && seen.Resident % perHuge != 0)
        {
            wrong.Add($"shm_rss: seen {seen.Resident}, allowed: a multiple of {perHuge}");
        }

        if (isDefect && wrong.Count == 0)
        {
            _assumptions.Add(
                "shm_rss of resident huge pages is too large by the base pages of a huge page, "
                + "as Linux 6.13 to 7.2 report it (a known defect)");
        }
    }

    private bool IsBeingAttached(Operation operation, Segment segment) =>
        UnderWay.Any(other => other != operation
            && other.Call?.Arguments is ShmAtArguments made && made.Id == segment.Id.Value);

    private static void Check(
        List<string> wrong, string field, ulong seen, ulong allowed, bool isAdmitted = false,
        string bound = "")
    {
        if (seen != allowed && !isAdmitted)
        {
            wrong.Add($"{field}: seen {seen}, allowed {bound}{allowed}");
        }
    }

    private IEnumerable<Configuration> Judge(List<string> wrong, Configuration after)
    {
        if (wrong.Count == 0)
        {
            return [after];
        }

        Mismatch ??= string.Join("; ", wrong);
        return [];
    }
}
