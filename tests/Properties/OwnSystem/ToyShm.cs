using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Properties.OwnSystem;

/// <summary>System V shared memory as a toy: private segments, attached where the system likes.
/// With <paramref name="forgetful"/>, a process that ends does not detach.</summary>
public sealed class ToyShm(bool forgetful) : ISystemUnderTest
{
    private sealed record Segment(int Id, ulong Size, int Creator)
    {
        public bool Removed { get; set; }
    }

    private sealed record Attach(int Pid, ulong Start, Segment Segment);

    private readonly HashSet<int> _processes = [1];
    private readonly Dictionary<int, Segment> _segments = [];
    private readonly List<Attach> _attaches = [];
    private int _lastId = -1;
    private int _lastPid = 1;
    private ulong _nextAddress = 0x7000_0000_0000;

    public int FirstPid => 1;

    public long Clock => 0;

    public Reply Execute(Call call, Bindings bindings) => call switch
    {
        ShmGet get => Create(get, Pid(get.Caller, bindings)),
        ShmAt at => AttachTo(Find(at.Segment, bindings), Pid(at.Caller, bindings)),
        ShmDt dt => Detach(Pid(dt.Caller, bindings), dt.Address, bindings),
        ShmCtlRmid remove => Remove(Find(remove.Segment, bindings)),
        Fork fork => ForkFrom(Pid(fork.Caller, bindings)),
        Kill kill => End(Pid(kill.Victim, bindings)),
        _ => throw new NotSupportedException($"{call.Kind}"),
    };

    public void Observe(Observation observation)
    {
        observation.Clear();
        foreach (Segment segment in _segments.Values.OrderBy(s => s.Id))
        {
            Span<ulong> row = observation.Segments.Add();
            row[(int)SegmentField.shmid] = (ulong)segment.Id;
            row[(int)SegmentField.segsz] = segment.Size;
            row[(int)SegmentField.cpid] = (ulong)segment.Creator;
            row[(int)SegmentField.nattch] = (ulong)_attaches.Count(a => a.Segment == segment);
        }
    }

    public void Dispose()
    {
    }

    private Reply.Value Create(ShmGet call, int pid)
    {
        _segments.Add(++_lastId, new Segment(_lastId, call.Size, pid));
        return new Reply.Value(_lastId);
    }

    private Reply AttachTo(Segment? segment, int pid)
    {
        if (segment is null)
        {
            return Reply.Of(Errno.EINVAL);
        }

        _nextAddress += 1 << 20;
        _attaches.Add(new Attach(pid, _nextAddress, segment));
        return new Reply.Value((long)_nextAddress);
    }

    private Reply Detach(int pid, AddressRef address, Bindings bindings)
    {
        bindings.TryResolve(address, 4096, out ulong start);
        Attach? attach = _attaches.Find(a => a.Pid == pid && a.Start == start);
        return attach is null ? Reply.Of(Errno.EINVAL) : Close(attach);
    }

    private Reply Close(Attach attach)
    {
        _attaches.Remove(attach);
        return attach.Segment.Removed ? Remove(attach.Segment) : Reply.Zero;
    }

    private Reply Remove(Segment? segment)
    {
        if (segment is null)
        {
            return Reply.Of(Errno.EINVAL);
        }

        segment.Removed = true;
        if (_attaches.TrueForAll(a => a.Segment != segment))
        {
            _segments.Remove(segment.Id);
        }

        return Reply.Zero;
    }

    private Reply.Value ForkFrom(int parent)
    {
        _processes.Add(++_lastPid);
        _attaches.AddRange(
            [.. _attaches.Where(a => a.Pid == parent).Select(a => a with { Pid = _lastPid })]);
        return new Reply.Value(_lastPid);
    }

    private Reply End(int pid)
    {
        _processes.Remove(pid);
        foreach (Attach attach in forgetful ? [] : _attaches.Where(a => a.Pid == pid).ToList())
        {
            Close(attach);
        }

        if (_processes.Count == 0)
        {
            _segments.Clear();
        }

        return Reply.Zero;
    }

    private static int Pid(ProcessHandle handle, Bindings bindings) =>
        bindings.TryResolve(handle, out int pid) ? pid : 0;

    private Segment? Find(SegmentRef reference, Bindings bindings) =>
        bindings.TryResolve(reference, out int id) ? _segments.GetValueOrDefault(id) : null;
}
