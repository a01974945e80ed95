using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>A segment as the generator made it.</summary>
/// <param name="Handle">Its handle.</param>
/// <param name="Size">Bytes asked for.</param>
/// <param name="Huge">Whether it is a huge segment.</param>
internal readonly record struct MadeSegment(SegmentHandle Handle, ulong Size, bool Huge);

/// <summary>A range of addresses that a call returned.</summary>
/// <param name="Handle">Its handle.</param>
/// <param name="Length">Bytes, rounded up to pages.</param>
/// <param name="Huge">Whether it is of a huge segment.</param>
/// <param name="Owner">The process that made it.</param>
internal readonly record struct MadeMapping(
    MappingHandle Handle, ulong Length, bool Huge, ProcessHandle Owner);

/// <summary>What the generator remembers of the calls so far, to draw the next one from.
/// </summary>
internal sealed class World
{
    private const int MostWritten = 8;
    private readonly List<MadeSegment> _segments = [];
    private readonly List<MadeMapping> _mappings = [];
    private readonly List<(MappingHandle Start, TouchedPage Page)> _written = [];
    private readonly TaskList _tasks = new();
    private int _nextSegment = 1;
    private int _nextMapping = 1;
    private int _nextProcess = 2;

    public IReadOnlyList<MadeSegment> Segments => _segments;

    public IReadOnlyList<MadeMapping> Mappings => _mappings;

    /// <summary>Pages last written to.</summary>
    public IReadOnlyList<(MappingHandle Start, TouchedPage Page)> Written => _written;

    /// <summary>Processes and threads that can make a call.</summary>
    public IReadOnlyList<ProcessHandle> Processes => _tasks.Able;

    public SegmentHandle NewSegment() => new(_nextSegment++);

    public MappingHandle NewMapping() => new(_nextMapping++);

    public ProcessHandle NewProcess() => new(_nextProcess++);

    /// <summary>Takes note of a call that was made.</summary>
    public void Done(Call call, Reply? reply, MachineConfig machine)
    {
        Reserve(call);
        if (reply is not Reply.Value)
        {
            return;
        }

        switch (call)
        {
            case ShmGet get when get.Result.Number > 0:
                _segments.Add(new MadeSegment(get.Result, get.Size, get.Flags.HugeTlb));
                break;
            case ShmAt at when at.Result.Number > 0:
                AddAttach(at, machine);
                break;
            case MMap map when map.Result.Number > 0:
                Add(map.Result, map.Length, false, map.Caller, machine);
                break;
            case MRemap remap when remap.Result.Number > 0:
                bool huge = Find(remap.Start.Handle)?.Huge ?? false;
                Add(remap.Result, remap.NewLength, huge, remap.Caller, machine);
                break;
            case Store { Start.Handle: { } start } store:
                NoteWritten(start, store.Page);
                break;
            default:
                _tasks.Done(call);
                break;
        }
    }

    /// <summary>The newest range that a handle names.</summary>
    public MadeMapping? Find(MappingHandle? handle)
    {
        int at = _mappings.FindLastIndex(m => m.Handle == handle);
        return at < 0 ? null : _mappings[at];
    }

    private void NoteWritten(MappingHandle start, TouchedPage page)
    {
        if (_written.Count == MostWritten)
        {
            _written.RemoveAt(0);
        }

        _written.Add((start, page));
    }

    private void AddAttach(ShmAt at, MachineConfig machine)
    {
        int found = _segments.FindLastIndex(s => s.Handle == at.Segment.Handle);
        MadeSegment segment = found < 0 ? default : _segments[found];
        Add(at.Result, Math.Max(segment.Size, 1), segment.Huge, at.Caller, machine);
    }

    private void Add(
        MappingHandle handle, ulong length, bool huge, ProcessHandle owner, MachineConfig machine)
    {
        ulong unit = huge ? machine.HugePageSize : machine.PageSize;
        ulong units = new ByteCount(length).InUnitsOf(new ByteCount(unit));
        _mappings.Add(new MadeMapping(handle, Math.Max(units, 1) * unit, huge, owner));
    }

    /// <summary>Keeps new handles behind those of calls that were not drawn here.</summary>
    private void Reserve(Call call)
    {
        switch (call)
        {
            case ShmGet get: _nextSegment = Math.Max(_nextSegment, get.Result.Number + 1); break;
            case ShmAt at: _nextMapping = Math.Max(_nextMapping, at.Result.Number + 1); break;
            case MMap map: _nextMapping = Math.Max(_nextMapping, map.Result.Number + 1); break;
            case MRemap remap:
                _nextMapping = Math.Max(_nextMapping, remap.Result.Number + 1);
                break;
            case SpawnCall spawn:
                _nextProcess = Math.Max(_nextProcess, spawn.Result.Number + 1);
                break;
            default: break;
        }
    }
}
