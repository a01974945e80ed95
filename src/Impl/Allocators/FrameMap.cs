using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>Page frames, and the aligned runs of them that huge pages need. Single frames are
/// taken lowest first, which keeps the rest whole; a run is taken where none of its frames is
/// in use, and is found whenever there is one.</summary>
/// <typeparam name="TWords">Where the words are.</typeparam>
/// <remarks>How many frames of a run are in use is not stored. The bits of a run of 512 are one
/// cache line, which counts itself in a few instructions, and only a change of a whole word from
/// or to 0 can concern the map of runs: that costs less than a counter, which every frame taken
/// or freed would have to write. What happens seldom gets a copy of the fields, or these could
/// not stay in registers.</remarks>
internal readonly struct FrameMap<TWords>
    where TWords : struct, IWords
{
    private const int WordShift = 6;
    private const int WordMask = 63;

    /// <summary>Runs of 512, as of most machines: a constant, which makes the compiler leave out
    /// half of the work.</summary>
    private const int UsualShift = 9;

    private readonly FreeMap<TWords> _frames;
    private readonly FreeMap<TWords> _touchedRuns;
    private readonly int _runShift;
    private readonly int _runBase;
    private readonly ulong _runMask;

    /// <summary>Makes a map of free frames.</summary>
    /// <param name="capacity">Number of frames.</param>
    /// <param name="runLength">Frames of a run, a power of two.</param>
    /// <param name="newWords">Gives so many words.</param>
    public FrameMap(int capacity, int runLength, Func<int, TWords> newWords)
    {
        _runShift = BitOperations.Log2((uint)runLength);
        _runBase = WordMask & -runLength;
        _runMask = runLength > WordMask ? ulong.MaxValue : (1ul << runLength) - 1;
        _frames = new FreeMap<TWords>(capacity, newWords);
        _touchedRuns = new FreeMap<TWords>(capacity >> _runShift, newWords);
    }

    public int Capacity => _frames.Capacity;

    /// <summary>Frames in use.</summary>
    public int Used => _frames.Used;

    public int RunLength => 1 << _runShift;

    /// <summary>Whole runs; frames behind the last belong to none.</summary>
    public int Runs => _touchedRuns.Capacity;

    public bool IsUsed(int frame) => _frames.IsUsed(frame);

    /// <summary>Takes the lowest free frame, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take()
    {
        int frame = _frames.FindFree();
        if (frame >= 0)
        {
            Use(frame);
        }

        return frame;
    }

    /// <summary>Takes a frame that is free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Use(int frame)
    {
        if ((_frames.Use(frame) & RunBits(frame)) == 0)
        {
            Touch(this, frame >> _runShift);
        }
    }

    /// <summary>Gives back a single frame.</summary>
    /// <returns>Whether none of its run is in use any more.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Give(int frame) =>
        (_frames.Free(frame) & RunBits(frame)) == 0 && Leave(this, frame >> _runShift);

    /// <summary>Takes the lowest run that is whole, or -1.</summary>
    public int TakeRun()
    {
        int run = _touchedRuns.FindFree();
        if (run >= 0)
        {
            _touchedRuns.Use(run);
            if (_runShift == UsualShift)
            {
                _frames.UseLine(run << UsualShift);
            }
            else
            {
                UseRun(_frames, run << _runShift, RunLength);
            }
        }

        return run;
    }

    /// <summary>Gives back a run all of whose frames are in use.</summary>
    public void GiveRun(int run)
    {
        _touchedRuns.Free(run);
        if (_runShift == UsualShift)
        {
            _frames.FreeLine(run << UsualShift);
        }
        else
        {
            FreeRun(_frames, run << _runShift, RunLength);
        }
    }

    /// <summary>Frames of a run that are in use.</summary>
    public int CountUsed(int run)
    {
        if (RunLength <= WordMask)
        {
            int first = run << _runShift;
            return BitOperations.PopCount(
                _frames.Word(first >> WordShift) >> (first & WordMask) & _runMask);
        }

        int used = 0;
        int end = Math.Min(FirstWord(run + 1), ((Capacity - 1) >> WordShift) + 1);
        for (int word = FirstWord(run); word < end; word++)
        {
            used += BitOperations.PopCount(_frames.Word(word));
        }

        return used;
    }

    /// <summary>Checks both maps against each other, and each against itself: slow.</summary>
    public bool IsConsistent()
    {
        for (int run = 0; run < Runs; run++)
        {
            if (_touchedRuns.IsUsed(run) != (CountUsed(run) > 0))
            {
                return false;
            }
        }

        return _frames.IsConsistent() && _touchedRuns.IsConsistent();
    }

    /// <summary>Those bits of the word of a frame that belong to the run of the frame.</summary>
    private ulong RunBits(int frame) => _runMask << (frame & _runBase);

    private int FirstWord(int run) => run << (_runShift - WordShift);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseRun(FreeMap<TWords> frames, int first, int length) =>
        frames.UseRun(first, length);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FreeRun(FreeMap<TWords> frames, int first, int length) =>
        frames.FreeRun(first, length);

    private static void Touch(FrameMap<TWords> map, int run)
    {
        if (run < map.Runs && !map._touchedRuns.IsUsed(run))
        {
            map._touchedRuns.Use(run);
        }
    }

    /// <summary>A word of a run has become 0.</summary>
    private static bool Leave(FrameMap<TWords> map, int run)
    {
        if (map.CountUsed(run) > 0)
        {
            return false;
        }

        if (run < map.Runs)
        {
            map._touchedRuns.Free(run);
        }

        return true;
    }
}
