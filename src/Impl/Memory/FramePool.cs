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
    private readonly FrameMap<ColumnWords> _frames;
    private readonly IndexSet _mixedRuns;
    private readonly Rows _tagRows;
    private readonly Column<int> _tagRowOfRun;
    private readonly Column<ulong> _tags;
    private readonly int _runShift;

    public FramePool(StateStore store, MachineConfig config, FailurePlan plan)
    {
        _plan = plan;
        RunLength = checked((int)config.PagesPerHugePage);
        _runShift = System.Numerics.BitOperations.Log2((uint)RunLength);
        _frames = new FrameMap<ColumnWords>(
            checked((int)config.TotalPages), RunLength, store.NewWords);
        _mixedRuns = new IndexSet(store, _frames.Runs);
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
        if (_frames.Give(frame))
        {
            int run = frame >> _runShift;
            FreeTags(run);
            if (run < _frames.Runs)
            {
                _mixedRuns.Remove(run);
            }
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

        int run = _frames.TakeRun();
        return run >= 0 ? run : Vacate(_mixedRuns.Last(), owner);
    }

    public void GiveRun(int run)
    {
        Debug.Assert(_tagRowOfRun[run] == 0, "single frames in a huge page");
        _frames.GiveRun(run);
    }

    /// <summary>What the owner of a frame knows its page by.</summary>
    public ulong TagOf(int frame) => _tags[TagCell(frame)];

    public bool IsUsed(int frame) => _frames.IsUsed(frame);

    /// <summary>Checks the summaries and the counts of the runs; walks all frames.</summary>
    /// <param name="pages">The frames that pages are known to be in.</param>
    /// <param name="isHuge">Whether a run is a huge page.</param>
    public bool IsConsistent(IReadOnlySet<int> pages, Func<int, bool> isHuge)
    {
        for (int frame = 0; frame < _frames.Capacity; frame++)
        {
            int run = frame >> _runShift;
            bool single = pages.Contains(frame);
            bool huge = run < _frames.Runs && isHuge(run);
            if ((single && huge) || IsUsed(frame) != (single || huge))
            {
                return false;
            }
        }

        var mixed = pages.Select(frame => frame >> _runShift).ToHashSet();
        return _frames.IsConsistent() && _tagRows.Count == mixed.Count
            && Enumerable.Range(0, _frames.Runs)
                .All(run => _mixedRuns.Contains(run) == mixed.Contains(run));
    }

    private int Place(ulong tag)
    {
        int frame = _frames.Take();
        if ((uint)frame >= (uint)_frames.Capacity)
        {
            throw new InvalidOperationException($"frame {frame} was taken of {_frames.Capacity}");
        }

        int run = frame >> _runShift;
        int row = _tagRowOfRun[run];
        _tags[TagCell(row != 0 ? row : StartSingles(run), frame)] = tag;
        return frame;
    }

    private int StartSingles(int run)
    {
        int row = _tagRows.Take();
        _tagRowOfRun[run] = row;
        if (run < _frames.Runs)
        {
            _mixedRuns.Add(run);
        }

        return row;
    }

    private void FreeTags(int run)
    {
        _tagRows.Give(_tagRowOfRun[run]);
        _tagRowOfRun[run] = 0;
    }

    /// <summary>Only runs with single frames have tags: a row of as many as there are frames.
    /// </summary>
    private int TagCell(int row, int frame) =>
        (row << _runShift) + (frame & ((1 << _runShift) - 1));

    private int TagCell(int frame) => TagCell(_tagRowOfRun[frame >> _runShift], frame);

    /// <summary>Makes a run whole: takes the frames of it that are free, so that no page moves
    /// to where it must leave again, then moves the others.</summary>
    private int Vacate(int run, IFrameOwner owner)
    {
        Debug.Assert(run >= 0, "frames are free, yet no run can be made whole");
        int first = run << _runShift;
        int singles = _frames.CountUsed(run);
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

        FreeTags(run);
        return run;
    }
}
