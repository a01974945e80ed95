using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShmCheck.Bench.Allocators;

/// <summary>An allocator in C (<c>bench/twins/twin.h</c>), from a shared library.</summary>
internal sealed unsafe class Twin : IRunAllocator
{
    private readonly void* _twin;
    private readonly delegate* unmanaged<void*, void> _drop;
    private readonly delegate* unmanaged<void*, int, int*, void> _take;
    private readonly delegate* unmanaged<void*, int, int*, void> _give;
    private readonly delegate* unmanaged<void*, int, int*, int*, void> _pairs;
    private readonly delegate* unmanaged<void*, int, int*, void> _takeRuns;
    private readonly delegate* unmanaged<void*, int, int*, void> _giveRuns;
    private readonly delegate* unmanaged<void*, int, int*, int*, void> _pairRuns;

    /// <summary>Makes an allocator.</summary>
    /// <param name="path">The library.</param>
    /// <param name="frames">Frames, all free.</param>
    /// <exception cref="InvalidDataException">It is not such a library.</exception>
    public Twin(string path, int frames)
    {
        nint library = NativeLibrary.Load(path);
        var make = (delegate* unmanaged<int, void*>)Export(library, path, "twin_new");
        var bytes = (delegate* unmanaged<void*, long>)Export(library, path, "twin_bytes");
        _drop = (delegate* unmanaged<void*, void>)Export(library, path, "twin_drop");
        _take = (delegate* unmanaged<void*, int, int*, void>)Export(library, path, "twin_take");
        _give = (delegate* unmanaged<void*, int, int*, void>)Export(library, path, "twin_give");
        _pairs = (delegate* unmanaged<void*, int, int*, int*, void>)
            Export(library, path, "twin_pairs");
        if (NativeLibrary.TryGetExport(library, "twin_take_runs", out nint takeRuns))
        {
            _takeRuns = (delegate* unmanaged<void*, int, int*, void>)takeRuns;
            _giveRuns = (delegate* unmanaged<void*, int, int*, void>)
                Export(library, path, "twin_give_runs");
            _pairRuns = (delegate* unmanaged<void*, int, int*, int*, void>)
                Export(library, path, "twin_pair_runs");
        }

        _twin = make(frames);
        Bytes = _twin != null ? bytes(_twin) : throw new InvalidDataException(
            $"{path}: twin_new({frames}) has no memory");
    }

    public long Bytes { get; }

    public bool HasRuns => _takeRuns != null;

    /// <summary>Compiles a twin.</summary>
    /// <param name="name">Its source in <c>bench/twins</c>, without <c>.c</c>.</param>
    /// <returns>Path of the library.</returns>
    public static string Build(string name)
    {
        string source = Path.Combine(AppContext.BaseDirectory, "twins", $"{name}.c");
        string library = Path.ChangeExtension(source, ".so");
        CCompiler.Run("-O3", "-march=native", "-Wno-implicit-fallthrough", "-shared", "-fPIC",
            "-o", library, source);
        return library;
    }

    public void Take(Span<int> got) => Call(_take, got);

    public void Give(ReadOnlySpan<int> frames) => Call(_give, frames);

    public void Pairs(ReadOnlySpan<int> victims, Span<int> got) => Call(_pairs, victims, got);

    public void TakeRuns(Span<int> got) => Call(_takeRuns, got);

    public void GiveRuns(ReadOnlySpan<int> runs) => Call(_giveRuns, runs);

    public void PairRuns(ReadOnlySpan<int> victims, Span<int> got) =>
        Call(_pairRuns, victims, got);

    public void Dispose() => _drop(_twin);

    private void Call(delegate* unmanaged<void*, int, int*, void> function, ReadOnlySpan<int> span)
    {
        fixed (int* numbers = span)
        {
            function(_twin, span.Length, numbers);
        }
    }

    private void Call(delegate* unmanaged<void*, int, int*, int*, void> function,
        ReadOnlySpan<int> victims, Span<int> got)
    {
        Debug.Assert(got.Length >= victims.Length, "too little room");
        fixed (int* from = victims, to = got)
        {
            function(_twin, victims.Length, from, to);
        }
    }

    private static nint Export(nint library, string path, string name) =>
        NativeLibrary.TryGetExport(library, name, out nint function) ? function
            : throw new InvalidDataException($"{path}: exports no {name} (bench/twins/twin.h)");
}
