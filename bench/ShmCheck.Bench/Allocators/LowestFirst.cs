using System.Runtime.CompilerServices;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Allocators;

/// <summary>Our frame allocator. The loops work on a copy of its fields, which never change, so
/// that they can stay in registers.</summary>
internal sealed class LowestFirst<TWords>(
    FrameMap<TWords> frames, Func<long> bytes, IDisposable? memory) : IRunAllocator
    where TWords : struct, IWords
{
    public long Bytes => bytes();

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Take(Span<int> got)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < got.Length; i++)
        {
            got[i] = map.Take();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Give(ReadOnlySpan<int> given)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < given.Length; i++)
        {
            map.Give(given[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Pairs(ReadOnlySpan<int> victims, Span<int> got)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < victims.Length && i < got.Length; i++)
        {
            map.Give(victims[i]);
            got[i] = map.Take();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void TakeRuns(Span<int> got)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < got.Length; i++)
        {
            got[i] = map.TakeRun();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void GiveRuns(ReadOnlySpan<int> runs)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < runs.Length; i++)
        {
            map.GiveRun(runs[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void PairRuns(ReadOnlySpan<int> victims, Span<int> got)
    {
        FrameMap<TWords> map = frames;
        for (int i = 0; i < victims.Length && i < got.Length; i++)
        {
            map.GiveRun(victims[i]);
            got[i] = map.TakeRun();
        }
    }

    public void Dispose() => memory?.Dispose();
}

/// <summary>The kinds of our frame allocator.</summary>
internal static class LowestFirst
{
    private const int RunLength = 512;

    /// <summary>In plain memory.</summary>
    public static IRunAllocator Plain(int frames)
    {
        var memory = new WordMemory();
        return new LowestFirst<NativeWords>(
            new FrameMap<NativeWords>(frames, RunLength, memory.NewWords), () => memory.Bytes,
            memory);
    }

    /// <summary>As the machine has it: in columns, whose writes an undo journal can record.
    /// </summary>
    public static IRunAllocator Journaled(int frames)
    {
        var store = new StateStore();
        return new LowestFirst<ColumnWords>(
            new FrameMap<ColumnWords>(frames, RunLength, store.NewWords),
            () => store.Columns.Sum(column => (long)column.Save().Length), null);
    }
}
