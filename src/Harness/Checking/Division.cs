using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Whether a system has mapped the same as the specification, and only divides it into
/// other mappings.</summary>
internal static class Division
{
    /// <summary>What depends on where mappings begin and end: how many there are, when the last
    /// one came, and figures of each.</summary>
    private static readonly HashSet<string> Figures =
    [
        "mapping", nameof(SegmentField.nattch), nameof(SegmentField.lpid),
        nameof(SegmentField.atime), .. Enum.GetNames<MappingField>(),
    ];

    /// <summary>A run of pages that are mapped alike.</summary>
    private readonly record struct Piece(
        ulong Pid, ulong Start, ulong End, ulong Id, ulong Offset, ulong Protection);

    /// <summary>Whether nothing but the division explains a divergence.</summary>
    public static bool Explains(in Departure seen)
    {
        ulong pageSize = seen.After.Config.PageSize;
        return seen.Divergence.Fingerprint.Fields.Length > 0
            && seen.Divergence.Fingerprint.Fields.All(Figures.Contains)
            && !Rows(seen.Expected).SequenceEqual(Rows(seen.Shown))
            && Joined(seen.Expected, pageSize).SequenceEqual(Joined(seen.Shown, pageSize))
            && AreCounted(seen.After, seen.Expected, seen.Shown);
    }

    /// <summary>Whether mremap does what it should not because private mappings of the range, which
    /// are several, are one for the system: they have the same rights, marks and policy, and
    /// differ only in being charged, or in who has written them.</summary>
    public static bool IsOfMemory(in Departure seen)
    {
        if (seen is not
            {
                Divergence:
                {
                    Call: MRemap call, Rule.Errno: Errno.EFAULT,
                    Replied: not (null or Reply.Error { Errno: Errno.EFAULT })
                },
                Space: { } space,
            } || seen.Resolve(call.Start) is not { } start)
        {
            return false;
        }

        Mapping? first = space.Find(start);
        Mapping? last = first;
        while (last is not null && last.End - start < call.Length)
        {
            last = space.Find(last.End) is { } next && AreAlike(first!, next) ? next : null;
        }

        return last is not null && last != first;
    }

    private static bool AreAlike(Mapping one, Mapping other) =>
        one.Segment is null && other.Segment is null && one.Policy == other.Policy
        && ((one.Flags ^ other.Flags) & ~MappingFlags.Account) == 0;

    private static IEnumerable<Piece> Rows(Observation observation)
    {
        for (int at = 0; at < observation.Mappings.Count; at++)
        {
            yield return PieceOf(observation.Mappings[at]);
        }
    }

    private static Piece PieceOf(ReadOnlySpan<ulong> row) => new(
        row[(int)MappingField.Pid], row[(int)MappingField.Start], row[(int)MappingField.End],
        row[(int)MappingField.shmid], row[(int)MappingField.Offset],
        row[(int)MappingField.Protection]);

    /// <summary>The mappings with those put together that continue each other.</summary>
    private static List<Piece> Joined(Observation observation, ulong pageSize)
    {
        var joined = new List<Piece>();
        foreach (Piece piece in Rows(observation))
        {
            if (joined.Count > 0 && joined[^1] is var last && last.End == piece.Start
                && piece == piece with
                {
                    Pid = last.Pid,
                    Id = last.Id,
                    Protection = last.Protection,
                    Offset = last.Offset + ((last.End - last.Start) / pageSize),
                })
            {
                joined[^1] = last with { End = piece.End };
            }
            else
            {
                joined.Add(piece);
            }
        }

        return joined;
    }

    /// <summary>Whether segments have as many attaches more or less as they have mappings.
    /// </summary>
    private static bool AreCounted(SpecState state, Observation expected, Observation shown)
    {
        HashSet<ulong> processes =
        [
            .. state.Tasks.Rows.GroupBy(task => task.Space)
                .Select(sharers => (ulong)sharers.First().Tgid),
        ];
        Dictionary<ulong, long> more = Attaches(shown);
        foreach ((ulong id, long attaches) in Attaches(expected))
        {
            more[id] = more.GetValueOrDefault(id) - attaches;
        }

        foreach (Piece piece in Rows(shown).Where(piece => processes.Contains(piece.Pid)))
        {
            more[piece.Id] = more.GetValueOrDefault(piece.Id) - 1;
        }

        foreach (Piece piece in Rows(expected).Where(piece => processes.Contains(piece.Pid)))
        {
            more[piece.Id] = more.GetValueOrDefault(piece.Id) + 1;
        }

        return more.Values.All(difference => difference == 0);
    }

    /// <summary>By identifier.</summary>
    private static Dictionary<ulong, long> Attaches(Observation observation)
    {
        var attaches = new Dictionary<ulong, long>();
        for (int at = 0; at < observation.Segments.Count; at++)
        {
            ReadOnlySpan<ulong> row = observation.Segments[at];
            ulong id = row[(int)SegmentField.shmid];
            attaches[id] = attaches.GetValueOrDefault(id) + (long)row[(int)SegmentField.nattch];
        }

        return attaches;
    }
}
