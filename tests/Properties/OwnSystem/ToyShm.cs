using ShmCheck.Abi;

namespace ShmCheck.Properties.OwnSystem;

/// <summary>System V shared memory as a toy: private segments, attached where the toy likes. A
/// forgetful one does not detach what a process that ends has attached.</summary>
public sealed class ToyShm(bool forgetful) : ISystemUnderTest
{
    private readonly HashSet<int> _processes = [1];
    private readonly SortedSet<int> _segments = [];
    private readonly HashSet<int> _removed = [];
    private readonly List<(int Pid, ulong Start, int Id)> _attaches = [];
    private int _lastPid = 1;
    private int _lastId = -1;
    private ulong _lastAddress = 0x7000_0000_0000;

    public int FirstPid => 1;

    public long Clock => 1;

    public Reply Execute(Call call, Bindings bindings)
    {
        int Pid(ProcessHandle p) => bindings.TryResolve(p, out int pid) ? pid : 0;
        int Id(SegmentRef s) => bindings.TryResolve(s, out int id) ? id : -1;
        ulong Place(AddressRef a) => bindings.TryResolve(a, 4096, out ulong place) ? place : 0;
        return call switch
        {
            ShmGet when _segments.Add(++_lastId) => new Reply.Value(_lastId),
            ShmAt at => Attach(Pid(at.Caller), Id(at.Segment), at.Flags),
            ShmDt dt => Detach(Pid(dt.Caller), Place(dt.Address)),
            ShmCtlRmid rmid => Remove(Id(rmid.Segment)),
            Fork fork => CopyProcess(Pid(fork.Caller)),
            Kill kill => End(Pid(kill.Victim)),
            _ => throw new NotSupportedException($"{call.Kind}"),
        };
    }

    public void Observe(Observation observation)
    {
        observation.Clear();
        foreach (int id in _segments)
        {
            Span<ulong> row = observation.Segments.Add();
            row[(int)SegmentField.shmid] = (ulong)id;
            row[(int)SegmentField.nattch] = (ulong)_attaches.Count(a => a.Id == id);
        }
    }

    public void Dispose() => _segments.Clear();

    private Reply Attach(int pid, int id, ShmAtFlags flags)
    {
        // The address is always NULL, where SHM_REMAP has nothing to replace.
        if (flags.Remap || !_segments.Contains(id))
        {
            return Reply.Of(Errno.EINVAL);
        }

        _attaches.Add((pid, _lastAddress += 1 << 20, id));
        return new Reply.Value((long)_lastAddress);
    }

    private Reply Detach(int pid, ulong start)
    {
        var found = _attaches.Find(a => a.Pid == pid && a.Start == start);
        return !_attaches.Remove(found) ? Reply.Of(Errno.EINVAL)
            : _removed.Contains(found.Id) ? Remove(found.Id) : Reply.Zero;
    }

    private Reply Remove(int id)
    {
        bool exists = _segments.Contains(id) && (_removed.Contains(id) || _removed.Add(id));
        _segments.RemoveWhere(s => s == id && !_attaches.Exists(a => a.Id == id));
        return exists ? Reply.Zero : Reply.Of(Errno.EINVAL);
    }

    private Reply.Value CopyProcess(int parent)
    {
        _processes.Add(++_lastPid);
        var copies = _attaches.FindAll(a => a.Pid == parent);
        _attaches.AddRange(copies.Select(a => a with { Pid = _lastPid }));
        return new Reply.Value(_lastPid);
    }

    private Reply End(int pid)
    {
        var left = forgetful ? [] : _attaches.FindAll(a => a.Pid == pid);
        left.ForEach(a => Detach(pid, a.Start));
        _processes.Remove(pid);
        _segments.RemoveWhere(_ => _processes.Count == 0);
        return Reply.Zero;
    }
}
