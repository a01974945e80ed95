using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>What an operation reads and changes. Operations whose footprints do not meet have the
/// same outcome in either order.</summary>
internal sealed class Footprint
{
    private const long SpaceBase = 1L << 40;
    private const long TaskBase = 1L << 41;

    private readonly HashSet<long> _reads = [];
    private readonly HashSet<long> _writes = [];
    private bool _isGlobal;

    /// <summary>The footprint of an operation in any of some configurations.</summary>
    public static Footprint Of(IEnumerable<Configuration> reached, Operation operation)
    {
        var footprint = new Footprint();
        footprint._writes.Add(TaskBase + operation.Task);
        if (operation.Child != 0)
        {
            footprint._writes.Add(TaskBase + operation.Child);
        }

        foreach (Configuration at in reached)
        {
            footprint.Add(at, operation);
        }

        return footprint;
    }

    /// <summary>Whether the order of two operations can matter.</summary>
    public bool Meets(Footprint other) => _isGlobal || other._isGlobal
        || _writes.Overlaps(other._writes) || _writes.Overlaps(other._reads)
        || _reads.Overlaps(other._writes);

    private void Add(Configuration at, Operation operation)
    {
        if (!at.State.Tasks.TryGet((ulong)operation.Task, out KernelTask? task))
        {
            _isGlobal |= operation.Call?.Arguments is not (ShmGetArguments or ShmCtlArguments);
            AddCall(at, operation, ns: 0);
            return;
        }

        _writes.Add(SpaceBase + (long)task.Space);
        AddCall(at, operation, task.Namespace);
        if (operation.Kind == OperationKind.Exit || UsesMappings(operation.Call!.Arguments))
        {
            foreach (Mapping mapping in at.State.Spaces[task.Space].Mappings.Rows)
            {
                AddSegment(at, at.State.Segments[mapping.Segment!.Value.Value], write: true);
            }
        }

        foreach (Segment segment in at.State.Segments.Rows.Where(segment =>
            operation.Kind == OperationKind.Exit && segment.Creator == task.Tid))
        {
            AddSegment(at, segment, write: true);
        }
    }

    private static bool UsesMappings(SyscallArguments arguments) => arguments is ShmDtArguments
        or ForkArguments or CloneArguments or VForkArguments or ExecArguments
        || Stepper.IsOnMappings(arguments)
        || arguments is ShmAtArguments { Flags.Remap: true };

    private void AddCall(Configuration at, Operation operation, int ns)
    {
        switch (operation.Call?.Arguments)
        {
            case ShmGetArguments:
                _writes.Add(Identifiers(ns));
                break;
            case ShmAtArguments made:
                AddIdentifier(at, ns, made.Id, write: true);
                break;
            case ShmCtlArguments made:
                AddControl(at, ns, made);
                break;
            case UnshareArguments or SetNsArguments or WriteArguments:
                _isGlobal = true;
                break;
            default:
                break;
        }
    }

    private void AddControl(Configuration at, int ns, ShmCtlArguments made)
    {
        switch (made.Command)
        {
            case ShmCommand.IPC_INFO or ShmCommand.SHM_INFO:
                _reads.Add(Identifiers(ns));
                break;
            case ShmCommand.SHM_STAT or ShmCommand.SHM_STAT_ANY:
                _reads.Add(Identifiers(ns));
                AddIdentifier(at, ns, made.Id, write: false);
                break;
            case ShmCommand.IPC_STAT:
                AddIdentifier(at, ns, made.Id, write: false);
                break;
            case ShmCommand.IPC_RMID:
                _writes.Add(Identifiers(ns));
                AddIdentifier(at, ns, made.Id, write: true);
                break;
            default:
                AddIdentifier(at, ns, made.Id, write: true);
                break;
        }
    }

    private void AddIdentifier(Configuration at, int ns, int id, bool write)
    {
        if (id < 0)
        {
            return;
        }

        SegmentKey key = SegmentKey.Of(ns, new ShmId(id).Index);
        if (at.State.Segments.TryGet(key.Value, out Segment? segment))
        {
            AddSegment(at, segment, write);
        }
        else
        {
            (write ? _writes : _reads).Add((long)key.Value);
            _reads.Add(Identifiers(ns));
        }
    }

    private void AddSegment(Configuration at, Segment segment, bool write)
    {
        (write ? _writes : _reads).Add((long)segment.Location.Value);
        IpcNamespace ns = at.State.Namespaces[(ulong)segment.Namespace];
        if (write && (segment.Destroyed || ns.RmidForced))
        {
            _writes.Add(Identifiers(segment.Namespace));
        }
    }

    private static long Identifiers(int ns) => -1L - ns;
}
