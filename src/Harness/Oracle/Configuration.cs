using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>A state of the specification that explains the log so far, and what of it is not
/// known.</summary>
internal sealed record Configuration
{
    /// <summary>The state. Stamps are events or seconds, see <see cref="Timeline"/>; mappings are
    /// those of segments only; no page is ever touched.</summary>
    public required SpecState State { get; init; }

    /// <summary>Operations under way that have taken effect.</summary>
    public ImmutableSortedSet<int> Done { get; init; } = [];

    /// <summary>What is not known of segments, by <see cref="Segment.Location"/>.</summary>
    public ImmutableSortedDictionary<ulong, Unknown> Unknowns { get; init; } =
        ImmutableSortedDictionary<ulong, Unknown>.Empty;

    /// <summary>What is known of IPC namespaces, by number.</summary>
    public ImmutableSortedDictionary<int, NamespaceKnowledge> Namespaces { get; init; } =
        ImmutableSortedDictionary<int, NamespaceKnowledge>.Empty;

    /// <summary>The clock.</summary>
    public Timeline Timeline { get; init; } = new();

    /// <summary>Pid of the process that the log never names, once a structure has shown it.
    /// </summary>
    public int? UnnamedPid { get; init; }

    /// <summary>Address spaces that may hold attaches from before the log.</summary>
    public ImmutableSortedSet<ulong> OldSpaces { get; init; } = [];

    /// <summary>Processes that the log does not show may use the namespaces.</summary>
    public bool HasStrangers { get; init; }

    /// <summary>What is known of the huge page pool.</summary>
    public PoolKnowledge Pool { get; init; }

    /// <summary>What is not known of a segment.</summary>
    public Unknown UnknownOf(Segment segment) =>
        Unknowns.GetValueOrDefault(segment.Location.Value)
        | (HasStrangers ? Unknown.Changing : Unknown.None)
        | (OldSpaces.IsEmpty ? Unknown.None : Unknown.Attaches | Unknown.LastPid
            | Unknown.AttachTime | Unknown.DetachTime);

    /// <summary>With more or less known of a segment.</summary>
    public Configuration With(Segment segment, Unknown unknown) => this with
    {
        Unknowns = unknown == Unknown.None ? Unknowns.Remove(segment.Location.Value)
            : Unknowns.SetItem(segment.Location.Value, unknown),
    };

    /// <summary>With a segment replaced.</summary>
    public Configuration With(Segment segment) => this with
    {
        State = State with
        {
            Segments = State.Segments.Set(segment.Location.Value, segment),
        },
    };

    /// <summary>With a namespace replaced.</summary>
    public Configuration With(IpcNamespace ns) => this with
    {
        State = State with { Namespaces = State.Namespaces.Set((ulong)ns.Number, ns) },
    };

    /// <summary>With a task replaced.</summary>
    public Configuration With(KernelTask task) => this with
    {
        State = State with { Tasks = State.Tasks.Set((ulong)task.Tid, task) },
    };

    /// <summary>What is known of a namespace.</summary>
    public NamespaceKnowledge KnowledgeOf(int ns) =>
        Namespaces.GetValueOrDefault(ns) ?? NamespaceKnowledge.Empty;

    /// <summary>With something known of a namespace.</summary>
    public Configuration With(int ns, NamespaceKnowledge knowledge) => this with
    {
        Namespaces = Namespaces.SetItem(ns, knowledge),
    };

    /// <summary>A digest that is equal for equal configurations.</summary>
    public string Digest()
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        Specification.WriteCanonical(State, bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bytes.WrittenSpan);
        var rest = new HashCode();
        foreach (int done in Done)
        {
            rest.Add(done);
        }

        foreach ((ulong key, Unknown unknown) in Unknowns)
        {
            rest.Add((key, unknown));
        }

        foreach ((int ns, NamespaceKnowledge knowledge) in Namespaces)
        {
            rest.Add((ns, knowledge));
        }

        rest.Add((Timeline.Version, UnnamedPid, HasStrangers, Pool));
        foreach (ulong space in OldSpaces)
        {
            rest.Add(space);
        }

        return $"{Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, 16))}{rest.ToHashCode():x}";
    }
}

/// <summary>What is known of an IPC namespace beyond the state.</summary>
/// <param name="Identifiers">The next identifier can be predicted.</param>
/// <param name="HiddenSegments">Segments that exist and have not been seen; null when that is not
/// known.</param>
/// <param name="HiddenPages">Pages of those; null when that is not known.</param>
/// <param name="Limits">Limits that are known.</param>
internal sealed record NamespaceKnowledge(
    bool Identifiers, ulong? HiddenSegments, ulong? HiddenPages, KnownLimits Limits)
{
    /// <summary>A new namespace: empty, all known.</summary>
    public static NamespaceKnowledge Empty { get; } = new(true, 0, 0, KnownLimits.All);

    /// <summary>There may be segments that have not been seen.</summary>
    public bool HasHidden => HiddenSegments != 0;
}

/// <summary>What is known of the huge page pool.</summary>
internal enum PoolKnowledge
{
    /// <summary>Nothing.</summary>
    Nothing,
    /// <summary>No more can be reserved than the state says.</summary>
    AtMost,
    /// <summary>All.</summary>
    All,
}

/// <summary>Limits of a namespace.</summary>
[Flags]
internal enum KnownLimits
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>kernel.shmmax.</summary>
    ShmMax = 1,
    /// <summary>kernel.shmall.</summary>
    ShmAll = 2,
    /// <summary>kernel.shmmni.</summary>
    ShmMni = 4,
    /// <summary>kernel.shm_rmid_forced.</summary>
    RmidForced = 8,
    /// <summary>All of them.</summary>
    All = ShmMax | ShmAll | ShmMni | RmidForced,
}
