using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>What a log as a whole tells: the clock around its events, the first sight of each
/// segment, what the machine is.</summary>
internal sealed class LogKnowledge
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Stamps come from a clock that advances with the timer tick, behind the one that
    /// strace reads.</summary>
    private const long TickSlack = 50_000_000;

    private readonly long[] _least;
    private readonly long[] _most;
    private readonly Dictionary<int, SegmentStat> _firstSights = [];
    private readonly Dictionary<int, List<(int Call, SegmentStat Stat)>> _sights = [];
    private readonly HashSet<int> _used = [];
    private readonly HashSet<int> _made = [];

    public LogKnowledge(IRecording log)
    {
        Log = log;
        (_least, _most) = Clock(log);
        foreach (StraceCall call in log.Calls)
        {
            if (call.Result.Succeeded)
            {
                NoteIdentifier(call);
            }

            if (call is { Arguments: ShmCtlArguments { Data: SegmentStat stat } made })
            {
                int id = made.Command == ShmCommand.IPC_STAT ? made.Id : (int)call.Result.Value;
                _firstSights.TryAdd(id, stat);
                if (!_sights.TryGetValue(id, out var sights))
                {
                    _sights[id] = sights = [];
                }

                sights.Add((call.Index, stat));
            }
        }

        HasPidNamespaces = log.Calls.Any(call => call.Arguments switch
        {
            CloneArguments made => made.Flags.Has(CloneArguments.CLONE_NEWPID),
            UnshareArguments made => made.Flags.Has(CloneArguments.CLONE_NEWPID),
            SetNsArguments made => made.Types.Bits is 0 or CloneArguments.CLONE_NEWPID
                && made.Namespace.Path?.Contains("ipc", StringComparison.Ordinal) != true,
            _ => false,
        });
        HasUserNamespaces = log.Calls.Any(call => call.Arguments switch
        {
            CloneArguments made => made.Flags.Has(CloneArguments.CLONE_NEWUSER),
            UnshareArguments made => made.Flags.Has(CloneArguments.CLONE_NEWUSER),
            SetNsArguments made => made.Types.Has(CloneArguments.CLONE_NEWUSER),
            _ => false,
        });
    }

    /// <summary>The log.</summary>
    public IRecording Log { get; }

    /// <summary>Pids in structures may be those of another namespace.</summary>
    public bool HasPidNamespaces { get; }

    /// <summary>Users in structures may be those of another namespace.</summary>
    public bool HasUserNamespaces { get; }

    /// <summary>How much memory the machine has is known.</summary>
    public bool KnowsMemory => Log.Sidecar?.Number("MemTotal") is not null;

    /// <summary>The machine has no swap.</summary>
    public bool HasNoSwap => Log.Sidecar?.Number("SwapTotal") == 0;

    /// <summary>Capabilities that an execve can give.</summary>
    public CapabilitySet Bounding { get; set; } = CapabilitySet.All;

    /// <summary>Whether something that is no attach may be mapped in a range.</summary>
    public bool MayBeMapped(ulong start, ulong end) => Log.Events.Count > 0 && end != start;

    /// <summary>Whether the next two structures that show a segment have an earlier stamp: stamps
    /// never go back, so that this one is wrong rather than both of those.</summary>
    public bool IsTakenBack(int id, int call, Func<SegmentStat, Stamp> field, long second)
    {
        List<(int Call, SegmentStat Stat)> sights = _sights.GetValueOrDefault(id) ?? [];
        int next = sights.FindIndex(sight => sight.Call == call) + 1;
        return next > 0 && next + 1 < sights.Count
            && IsBefore(sights[next].Stat) && IsBefore(sights[next + 1].Stat);
        bool IsBefore(SegmentStat stat) =>
            field(stat).Earliest is > 0 and long shown && shown < second;
    }

    /// <summary>Whether the log uses an identifier that no shmget of it returned: then it was
    /// returned by one that now shows another.</summary>
    public bool IsUsedButNeverMade(int id) => _used.Contains(id) && !_made.Contains(id);

    /// <summary>Whether a shmget of the log returned an identifier.</summary>
    public bool IsMade(int id) => _made.Contains(id);

    private void NoteIdentifier(StraceCall call)
    {
        _ = call.Arguments switch
        {
            ShmGetArguments => _made.Add((int)call.Result.Value),
            ShmAtArguments made => _used.Add(made.Id),
            ShmCtlArguments
            {
                Command: ShmCommand.IPC_STAT or ShmCommand.IPC_SET or ShmCommand.IPC_RMID,
            } made => _used.Add(made.Id),
            _ => false,
        };
    }

    /// <summary>The first structure that shows a segment, if any does.</summary>
    public SegmentStat? FirstSight(int id) => _firstSights.GetValueOrDefault(id);

    /// <summary>Whether a stamp set between two events can be a second, as far as the clock of
    /// the log tells.</summary>
    public bool Admits(Stamp span, long second) =>
        second >= _least[Index(span.Earliest)] && second <= _most[Index(span.Latest)];

    /// <summary>The seconds between two events, as far as the clock of the log tells.</summary>
    public (long Least, long Most) Bounds(Stamp span) =>
        (_least[Index(span.Earliest)], _most[Index(span.Latest)]);

    /// <summary>The latest second that an event can have happened at.</summary>
    public long LatestSecond(long number) => _most[Index(number)];

    private int Index(long number) => (int)Math.Clamp(number - 1, 0, _least.Length - 1);

    private static (long[] Least, long[] Most) Clock(IRecording log)
    {
        int count = int.Max(log.Events.Count, 1);
        var least = new long[count];
        var most = new long[count];
        ulong? start = log.Sidecar?.Number("epoch");
        double? length = log.Sidecar?.Seconds;
        long begin = start is { } epoch ? (long)epoch - 1 : 0;
        long end = start is not null && length is { } seconds
            ? begin + 1 + (long)seconds + 3 : long.MaxValue;
        Array.Fill(least, begin);
        Array.Fill(most, end);
        if (log.Format.Stamps != StampKind.Epoch)
        {
            return (least, most);
        }

        for (int at = 0; at < log.Events.Count; at++)
        {
            long before = at > 0 ? least[at - 1] : begin;
            least[at] = log.Events[at].Time is { } time
                ? long.Max((time - TickSlack) / NanosecondsPerSecond, before) : before;
        }

        long bound = end;
        for (int at = log.Events.Count - 1; at >= 0; at--)
        {
            most[at] = bound;
            bound = log.Events[at].Time is { } time ? time / NanosecondsPerSecond : bound;
        }

        return (least, most);
    }
}
