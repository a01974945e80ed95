using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ShmCheck.Impl;

/// <summary>Words in plain memory, without bounds checks: an allocator's own arithmetic keeps
/// within them.</summary>
internal readonly unsafe struct NativeWords(ulong* words) : IWords
{
    public ulong this[int index]
    {
        get => words[(uint)index];
        set => words[(uint)index] = value;
    }

    /// <summary>The words from one on.</summary>
    public NativeWords From(int index) => new(words + index);

    public ref ulong At(int index) => ref words[(uint)index];

    public void Fill(int first, int count, ulong value)
    {
        ulong* place = words + (uint)first;
        for (; count >= Vector512<ulong>.Count; count -= Vector512<ulong>.Count)
        {
            Vector512.Create(value).Store(place);
            place += Vector512<ulong>.Count;
        }

        for (; count > 0; count--)
        {
            *place++ = value;
        }
    }
}

/// <summary>Plain memory for allocators, given back all at once.</summary>
internal sealed unsafe class WordMemory : IDisposable
{
    /// <summary>A cache line; a run of 512 frames is one.</summary>
    private const nuint LineBytes = 64;

    private const nuint HugePageBytes = 2 << 20;
    private readonly List<nint> _blocks = [];
    private NativeWords _line;
    private int _lineLeft;

    /// <summary>Bytes in use.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes words, all 0, in cache lines of their own; if they do not fill one, in one
    /// that they share with others as few.</summary>
    public NativeWords NewWords(int count)
    {
        const int LineWords = (int)LineBytes / sizeof(ulong);
        if (count >= LineWords)
        {
            return NewBlock(count);
        }

        if (count > _lineLeft)
        {
            _line = NewBlock(LineWords);
            _lineLeft = LineWords;
        }

        _lineLeft -= count;
        return _line.From(_lineLeft);
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }

        _blocks.Clear();
        Bytes = 0;
        _lineLeft = 0;
    }

    private NativeWords NewBlock(int count)
    {
        nuint bytes = ((nuint)count * sizeof(ulong) + LineBytes - 1) & ~(LineBytes - 1);
        void* block = NativeMemory.AlignedAlloc(
            bytes, bytes < HugePageBytes ? LineBytes : HugePageBytes);
        NativeMemory.Clear(block, bytes);
        _blocks.Add((nint)block);
        Bytes += (long)bytes;
        return new NativeWords((ulong*)block);
    }
}
