using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using ShmCheck.Abi;
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

    /// <summary>Where calls that overlapped leave open which was the last, by
    /// <see cref="Segment.Location"/>: what each order leaves.</summary>
    public ImmutableSortedDictionary<ulong, ImmutableArray<Trail>> Trails { get; init; } =
        ImmutableSortedDictionary<ulong, ImmutableArray<Trail>>.Empty;

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
    public Configuration With(Segment segment) =>
        State.Segments.TryGet(segment.Location.Value, out Segment? old) && old == segment ? this
            : this with
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

    /// <summary>The possible trails of a segment.</summary>
    public ImmutableArray<Trail> TrailsOf(Segment segment) =>
        Trails.TryGetValue(segment.Location.Value, out ImmutableArray<Trail> trails)
            ? trails : [Trail.Of(segment)];

    /// <summary>With other possible trails of a segment.</summary>
    public Configuration With(Segment segment, IEnumerable<Trail> trails)
    {
        ImmutableArray<Trail> distinct = [.. trails.Distinct()];
        Configuration known = With(distinct[0].On(segment));
        return known with
        {
            Trails = distinct.Length == 1 ? Trails.Remove(segment.Location.Value)
                : Trails.SetItem(segment.Location.Value, distinct),
        };
    }

    /// <summary>A configuration that stands for this one and one that differs from it in trails
    /// only.</summary>
    public Configuration Merge(Configuration other)
    {
        Configuration merged = this with { Timeline = Timeline.Or(other.Timeline) };
        foreach (Segment segment in State.Segments.Rows)
        {
            Segment twin = other.State.Segments[segment.Location.Value];
            bool differs = !Trail.Of(segment).Equals(Trail.Of(twin))
                || other.Trails.ContainsKey(segment.Location.Value);
            merged = differs ? merged.With(
                segment, merged.TrailsOf(segment).Concat(other.TrailsOf(twin))) : merged;
        }

        return merged;
    }

    /// <summary>Whether this stands for all that another stands for, which differs from it in
    /// trails only.</summary>
    public bool Includes(Configuration other) => State.Segments.Rows.All(segment =>
    {
        ImmutableArray<Trail> own = TrailsOf(segment);
        return other.TrailsOf(other.State.Segments[segment.Location.Value])
            .All(trail => own.Contains(trail));
    });

    /// <summary>A digest that is equal for configurations that are equal but for trails and
    /// clock.</summary>
    public string Digest()
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        Table<Segment> blank = State.Segments.Rows
            .Where(segment => !Trail.Of(segment).Equals(default))
            .Aggregate(State.Segments, (table, segment) => table.Set(
                segment.Location.Value, default(Trail).On(segment)));
        Specification.WriteCanonical(State with { Segments = blank }, bytes);
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

        rest.Add((UnnamedPid, HasStrangers, Pool));
        foreach (ulong space in OldSpaces)
        {
            rest.Add(space);
        }

        return $"{Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, 16))}{rest.ToHashCode():x}";
    }
}

/// <summary>What the last calls on a segment left in it.</summary>
/// <param name="LastPid">shm_lpid.</param>
/// <param name="Attach">shm_atime.</param>
/// <param name="Detach">shm_dtime.</param>
internal readonly record struct Trail(int LastPid, Stamp Attach, Stamp Detach)
{
    /// <summary>The trail of a segment.</summary>
    public static Trail Of(Segment segment) =>
        new(segment.LastPid, segment.AttachTime, segment.DetachTime);

    /// <summary>A segment with this trail.</summary>
    public Segment On(Segment segment) => segment with
    {
        LastPid = LastPid, AttachTime = Attach, DetachTime = Detach,
    };

    /// <summary>The trail after an operation that left another.</summary>
    public Trail After(Segment now, Stamp span)
    {
        bool opened = now.AttachTime == span;
        bool closed = now.DetachTime == span;
        return new Trail(
            opened || closed ? now.LastPid : LastPid, opened ? span : Attach,
            closed ? span : Detach);
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
    /// <summary>kernel.shm_next_id.</summary>
    NextId = 0x10,
    /// <summary>All of them.</summary>
    All = ShmMax | ShmAll | ShmMni | RmidForced | NextId,
}
