using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>Compares <c>struct shmid_ds</c> with a segment, field by field, and learns from it
/// what was not known.</summary>
internal sealed partial class Stepper
{
    private IEnumerable<Configuration> Compare(
        Configuration before, Operation operation, Segment segment, SegmentStat seen)
    {
        ImmutableArray<Trail> trails = before.TrailsOf(segment);
        var admitted = new List<Configuration>();
        List<string>? wrong = null;
        foreach (Trail trail in trails)
        {
            Segment candidate = trail.On(segment);
            Configuration at = trails.Length == 1 ? before : before.With(candidate, [trail]);
            var compared = new Comparison(this, at, operation, candidate, seen);
            compared.Run();
            if (compared.Wrong.Count == 0)
            {
                admitted.Add(compared.Learned());
            }
            else if (wrong is null || compared.Wrong.Count < wrong.Count)
            {
                wrong = compared.Wrong;
            }
        }

        if (admitted.Count == 0)
        {
            return Judge(wrong!, before);
        }

        // Which of several trails it was says nothing of the clock.
        return admitted.Count == 1 ? admitted
            : [admitted[0].With(admitted[0].State.Segments[segment.Location.Value],
                admitted.Select(at => Trail.Of(at.State.Segments[segment.Location.Value]))) with
            {
                Timeline = before.Timeline,
            }];
    }

    /// <summary>One comparison under way.</summary>
    private sealed class Comparison
    {
        private readonly Stepper _stepper;
        private readonly Configuration _before;
        private readonly Operation _operation;
        private readonly Segment _segment;
        private readonly SegmentStat _seen;
        private readonly Unknown _unknown;
        private readonly ulong _own;
        private readonly Drift _drift;
        private Segment _shown;
        private Timeline _timeline;
        private int? _unnamed;

        public Comparison(
            Stepper stepper, Configuration before, Operation operation, Segment segment,
            SegmentStat seen)
        {
            (_stepper, _before, _operation) = (stepper, before, operation);
            (_segment, _seen) = (segment, seen);
            _unknown = before.UnknownOf(segment);
            _own = OwnAttaches(before, segment);
            _drift = stepper.DriftOf(before, operation, segment);
            (_shown, _timeline, _unnamed) = (segment, before.Timeline, before.UnnamedPid);
        }

        public List<string> Wrong { get; } = [];

        public void Run()
        {
            Exact("key", Unknown.Key, _seen.Key, _segment.Key);
            Exact("uid", Unknown.Owner, _seen.Uid, _segment.Uid);
            Exact("gid", Unknown.Owner, _seen.Gid, _segment.Gid);
            Exact("cuid", Unknown.Creator, _seen.Cuid, _segment.Cuid);
            Exact("cgid", Unknown.Creator, _seen.Cgid, _segment.Cgid);
            Exact("shm_segsz", Unknown.Size, (long)Shown(_seen.SegmentSize),
                (long)Shown(_segment.Size));
            Mode();
            Pid("shm_cpid", Unknown.CreatorPid, _seen.CreatorPid, _segment.CreatorPid);
            if (!IsDrifting || _seen.LastPid != _segment.LastPid)
            {
                Pid("shm_lpid", Unknown.LastPid, _seen.LastPid, _segment.LastPid, IsDrifting);
            }

            Attaches();
            Stamps();
        }

        /// <summary>The configuration with what the structure has shown.</summary>
        public Configuration Learned()
        {
            Unknown left = _before.Unknowns.GetValueOrDefault(_segment.Location.Value)
                & (IsDrifting ? Unknown.Attaches | Unknown.LastPid | Unknown.AttachTime
                    | Unknown.DetachTime : Unknown.None);
            return _before.With(_shown).With(_shown, left) with
            {
                Timeline = _timeline,
                UnnamedPid = _unnamed,
            };
        }

        private bool IsDrifting => _drift.IsAny
            || ((_stepper._visible.HidesDrops || _stepper._visible.HidesSplits)
                && WasAttached(_segment));

        private ulong Shown(ulong size) => _operation.Call!.Is32Bit ? (uint)size : size;

        private bool Is(Unknown field) => (_unknown & field) != 0;

        private void Exact(string field, Unknown unknown, long seenValue, long own)
        {
            if (seenValue != own && !Is(unknown))
            {
                Wrong.Add($"{field}: seen {seenValue}, allowed {own}");
            }
        }

        private void Mode()
        {
            int admitted = (Is(Unknown.Mode) ? ShmGetFlags.ModeMask : 0)
                | (Is(Unknown.Locked) ? SegmentMode.SHM_LOCKED : 0)
                | (Is(Unknown.Destroyed) ? SegmentMode.SHM_DEST : 0);
            if (((_seen.Mode ^ _segment.ShownMode) & ~admitted) != 0)
            {
                Wrong.Add(
                    $"mode: seen 0{Convert.ToString(_seen.Mode, 8)}, allowed "
                    + $"0{Convert.ToString(_segment.ShownMode, 8)}");
                return;
            }

            _shown = _shown with
            {
                Key = _seen.Key,
                Uid = _seen.Uid,
                Gid = _seen.Gid,
                Cuid = _seen.Cuid,
                Cgid = _seen.Cgid,
                CreatorPid = Is(Unknown.CreatorPid) ? _seen.CreatorPid : _segment.CreatorPid,
                Mode = _seen.Mode & ShmGetFlags.ModeMask,
                Destroyed = (_seen.Mode & SegmentMode.SHM_DEST) != 0,
            };
        }

        private void Pid(string field, Unknown unknown, int shown, int own, bool drifts = false)
        {
            int expected = own == Script.Unnamed && _unnamed is { } known ? known : own;
            if (shown == expected || Is(unknown) || drifts
                || (_stepper._log.HasPidNamespaces && own != 0))
            {
                _shown = unknown == Unknown.LastPid && Is(unknown) && !drifts
                    ? _shown with { LastPid = shown } : _shown;
                return;
            }

            if (own == Script.Unnamed && _unnamed is null && shown > 0)
            {
                _unnamed = shown;
                return;
            }

            Wrong.Add($"{field}: seen {shown}, allowed {expected}");
        }

        private void Attaches()
        {
            ulong least = _segment.Attaches;
            ulong most = _segment.Attaches;
            if (Is(Unknown.Attaches))
            {
                least = _own;
                most = ulong.MaxValue;
            }

            least -= ulong.Min(least, _drift.Down);
            most = most == ulong.MaxValue ? most : most + _drift.Up;
            if (_stepper._visible.HidesDrops && WasAttached(_segment))
            {
                least = 0;
            }

            // What seems to have gone may have been moved.
            if ((_stepper._visible.HidesSplits || _stepper._visible.HidesDrops)
                && WasAttached(_segment))
            {
                most = ulong.MaxValue;
            }

            if (_seen.Attaches < least || _seen.Attaches > most)
            {
                Wrong.Add($"shm_nattch: seen {_seen.Attaches}, allowed "
                    + (least == most ? $"{least}"
                        : most == ulong.MaxValue ? $"at least {least}" : $"{least} to {most}"));
            }
            else if (Is(Unknown.Attaches) && !_drift.IsAny && !_before.HasStrangers)
            {
                _shown = _shown with { Attaches = ulong.Max(_seen.Attaches, _own) };
            }
        }

        private void Stamps()
        {
            _shown = _shown with
            {
                AttachTime = Time("shm_atime", Unknown.AttachTime, _seen.AttachTime,
                    _segment.AttachTime, IsDrifting),
                DetachTime = Time("shm_dtime", Unknown.DetachTime, _seen.DetachTime,
                    _segment.DetachTime, IsDrifting),
                ChangeTime = Time("shm_ctime", Unknown.ChangeTime, _seen.ChangeTime,
                    _segment.ChangeTime, drifts: false),
            };
        }

        private Stamp Time(
            string field, Unknown unknown, Stamp shown, Stamp own, bool drifts)
        {
            long second = shown.Earliest;
            if (Is(unknown) || (drifts && !Agrees(own, second)))
            {
                if (second > _stepper._log.LatestSecond(_operation.To))
                {
                    Wrong.Add($"{field}: seen {second}, which is still to come");
                }

                return Is(unknown) && !drifts ? shown : own;
            }

            if (!Agrees(own, second))
            {
                Wrong.Add($"{field}: seen {second}, allowed {_stepper.Describe(own, _timeline)}");
                return own;
            }

            if (own == Stamp.Never || own.Latest >= Timeline.EventLimit)
            {
                return own;
            }

            if (_stepper._log.IsTakenBack(
                _segment.Id.Value, _operation.Call!.Index, stat => FieldOf(stat, unknown), second))
            {
                Wrong.Add($"{field}: seen {second}, and later an earlier time");
                return own;
            }

            _timeline = _timeline.Learn(own, second);
            return Stamp.At(second);
        }

        private static Stamp FieldOf(SegmentStat stat, Unknown field) => field switch
        {
            Unknown.AttachTime => stat.AttachTime,
            Unknown.DetachTime => stat.DetachTime,
            _ => stat.ChangeTime,
        };

        private bool Agrees(Stamp own, long second) => own == Stamp.Never ? second == 0
            : own.Latest >= Timeline.EventLimit ? own.Admits(Stamp.At(second))
            : second != 0 && _stepper._log.Admits(own, second) && _timeline.Admits(own, second);
    }

    private string Describe(Stamp own, Timeline timeline)
    {
        if (own == Stamp.Never || own.Latest >= Timeline.EventLimit)
        {
            return $"{own}";
        }

        (long least, long most) = _log.Bounds(own);
        (least, most) = timeline.Narrow(own, least, most);
        return most == long.MaxValue ? $"at least {least}" : $"{least} to {most}";
    }

    /// <summary>How far operations under way can have brought shm_nattch from the state: those
    /// of several mappings do not take effect at once.</summary>
    private Drift DriftOf(Configuration at, Operation operation, Segment segment)
    {
        var drift = new Drift(0, 0);
        foreach (Operation other in UnderWay)
        {
            if (other != operation
                && at.State.Tasks.TryGet((ulong)other.Task, out KernelTask? task))
            {
                drift += DriftOf(at, other, task, segment);
            }
        }

        return drift;
    }

    private static Drift DriftOf(
        Configuration at, Operation other, KernelTask task, Segment segment)
    {
        ulong pieces = (ulong)at.State.Spaces[task.Space].Mappings.Rows.Count(
            mapping => mapping.Segment == segment.Location);
        bool isDone = at.Done.Contains(other.Number);
        return other.Call?.Arguments switch
        {
            // The call holds the segment while it maps it.
            ShmAtArguments made when made.Id == segment.Id.Value => new Drift(0, isDone ? 1u : 2u),
            ForkArguments or CloneArguments when pieces > 1 && !isDone => new Drift(0, pieces),
            _ when pieces > 0 && other.Call?.Arguments is MUnmapArguments or MProtectArguments
                or MLockArguments or MUnlockArguments or MRemapArguments or MMapArguments
                or MAdviseArguments or MBindArguments => new Drift(isDone ? 0 : pieces - 1, 2),
            _ when pieces > 1 && !isDone && (other.Kind == OperationKind.Exit
                || other.Call?.Arguments is ExecArguments or ShmDtArguments) =>
                new Drift(pieces - 1, 0),
            _ => default,
        };
    }

    private readonly record struct Drift(ulong Down, ulong Up)
    {
        public bool IsAny => Down > 0 || Up > 0;

        public static Drift operator +(Drift one, Drift other) =>
            new(one.Down + other.Down, one.Up + other.Up);
    }
}
