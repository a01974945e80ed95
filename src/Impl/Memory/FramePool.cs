using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Whoever must learn that a page has moved to another frame.</summary>
internal interface IFrameOwner
{
    /// <summary>The page known by <paramref name="tag"/> is now in another frame.</summary>
    void OnMoved(ulong tag, int frame);
}

/// <summary>The frames of the machine. Single frames are taken lowest first, which keeps the
/// aligned runs that huge pages need whole; when none is whole any more, the pages of the highest
/// run are moved out of it, so that a run can be had whenever as many frames are free.</summary>
internal sealed class FramePool
{
    private readonly FailurePlan _plan;
    private readonly FreeMap _frames;
    private readonly FreeMap _touchedRuns;
    private readonly IndexSet _mixedRuns;
    private readonly Column<int> _singlesInRun;
    private readonly Rows _tagRows;
    private readonly Column<int> _tagRowOfRun;
    private readonly Column<ulong> _tags;
    private readonly int _runs;
    private readonly int _runShift;

    public FramePool(StateStore store, MachineConfig config, FailurePlan plan)
    {
        _plan = plan;
        RunLength = checked((int)config.PagesPerHugePage);
        _runShift = System.Numerics.BitOperations.Log2((uint)RunLength);
        int total = checked((int)config.TotalPages);
        _runs = total >> _runShift;
        _frames = new FreeMap(store, total);
        _touchedRuns = new FreeMap(store, _runs);
        _mixedRuns = new IndexSet(store, _runs);
        _singlesInRun = store.NewColumn<int>();
        _tagRows = new Rows(store);
        _tagRowOfRun = store.NewColumn<int>();
        _tags = store.NewColumn<ulong>();
    }

    /// <summary>Frames of a huge page.</summary>
    public int RunLength { get; }

    public ulong Total => (ulong)_frames.Capacity;

    public ulong Free => (ulong)(_frames.Capacity - _frames.Used);

    /// <summary>Takes the lowest free frame for a page.</summary>
    /// <param name="tag">What the owner knows the page by when it moves.</param>
    /// <returns>The frame, or -1.</returns>
    public int Take(ulong tag) =>
        Free == 0 || _plan.Strikes(AllocationKind.Frame) ? -1 : Place(tag);

    public void Give(int frame)
    {
        _frames.Free(frame);
        int run = frame >> _runShift;
        if (CountSingles(run, -1) > 0)
        {
            return;
        }

        _tagRows.Give(_tagRowOfRun[run]);
        if (run < _runs)
        {
            _touchedRuns.Free(run);
            _mixedRuns.Remove(run);
        }
    }

    /// <summary>Takes an aligned run of frames.</summary>
    /// <returns>Number of the run, or -1 when fewer than a run are free.</returns>
    public int TakeRun(IFrameOwner owner)
    {
        if (Free < (ulong)RunLength)
        {
            return -1;
        }

        int run = _touchedRuns.FindFree();
        if (run < 0)
        {
            return Vacate(_mixedRuns.Last(), owner);
        }

        _touchedRuns.Use(run);
        _frames.UseRun(run << _runShift, RunLength);
        return run;
    }

    public void GiveRun(int run)
    {
        Debug.Assert(_singlesInRun[run] == 0, "single frames in a huge page");
        _frames.FreeRun(run << _runShift, RunLength);
        _touchedRuns.Free(run);
    }

    /// <summary>What the owner of a frame knows its page by.</summary>
    public ulong TagOf(int frame) => _tags[TagCell(frame)];

    public bool IsUsed(int frame) => _frames.IsUsed(frame);

    /// <summary>Checks the summaries and the counts of the runs; walks all frames.</summary>
    /// <param name="pages">The frames that pages are known to be in.</param>
    /// <param name="isHuge">Whether a run is a huge page.</param>
    public bool IsConsistent(IReadOnlySet<int> pages, Func<int, bool> isHuge)
    {
        int[] singles = new int[_runs + 1];
        foreach (int frame in pages)
        {
            singles[frame >> _runShift]++;
        }

        for (int frame = 0; frame < _frames.Capacity; frame++)
        {
            int run = frame >> _runShift;
            if (IsUsed(frame) != (pages.Contains(frame) || (run < _runs && isHuge(run))))
            {
                return false;
            }
        }

        return _frames.IsConsistent() && _touchedRuns.IsConsistent()
            && Enumerable.Range(0, _runs).All(run => IsConsistent(run, singles[run], isHuge(run)));
    }

    private bool IsConsistent(int run, int singles, bool huge) =>
        singles == _singlesInRun[run] && _mixedRuns.Contains(run) == (singles > 0)
            && _touchedRuns.IsUsed(run) == (singles > 0 || huge) && !(huge && singles > 0);

    private int Place(ulong tag)
    {
        int frame = _frames.FindFree();
        Debug.Assert(frame >= 0, "a free frame was counted");
        _frames.Use(frame);
        int run = frame >> _runShift;
        if (CountSingles(run, 1) == 1)
        {
            StartSingles(run);
        }

        _tags[TagCell(frame)] = tag;
        return frame;
    }

    private void StartSingles(int run)
    {
        _tagRowOfRun[run] = _tagRows.Take();
        if (run < _runs)
        {
            _touchedRuns.Use(run);
            _mixedRuns.Add(run);
        }
    }

    /// <summary>Only runs with single frames have tags: a row of as many as there are frames.
    /// </summary>
    private int TagCell(int frame) =>
        (_tagRowOfRun[frame >> _runShift] << _runShift) + (frame & (RunLength - 1));

    private int CountSingles(int run, int change)
    {
        int singles = _singlesInRun[run] + change;
        _singlesInRun[run] = singles;
        return singles;
    }

    /// <summary>Makes a run whole: takes the frames of it that are free, so that no page moves
    /// to where it must leave again, then moves the others.</summary>
    private int Vacate(int run, IFrameOwner owner)
    {
        Debug.Assert(run >= 0, "frames are free, yet no run can be made whole");
        int first = run << _runShift;
        int singles = _singlesInRun[run];
        _singlesInRun[run] = 0;
        _mixedRuns.Remove(run);
        for (int frame = first; frame < first + RunLength; frame++)
        {
            if (!_frames.IsUsed(frame))
            {
                _frames.Use(frame);
                _tags[TagCell(frame)] = 0;
            }
        }

        for (int frame = first; singles > 0; frame++)
        {
            ulong tag = TagOf(frame);
            if (tag != 0)
            {
                singles--;
                owner.OnMoved(tag, Place(tag));
            }
        }

        _tagRows.Give(_tagRowOfRun[run]);
        return run;
    }
}
