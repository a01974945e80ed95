using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>A named figure with the span of values that it may have: a point when a system
/// shows it.</summary>
/// <param name="Name">Name of the field.</param>
/// <param name="Least">Least value; signed figures are sign-extended.</param>
/// <param name="Most">Greatest value.</param>
internal readonly record struct FigureSpan(string Name, ulong Least, ulong Most)
{
    public FigureSpan(string name, ulong value)
        : this(name, value, value)
    {
    }

    public FigureSpan(string name, long value)
        : this(name, (ulong)value)
    {
    }

    public FigureSpan(string name, Stamp stamp)
        : this(name, (ulong)stamp.Earliest, (ulong)stamp.Latest)
    {
    }

    public bool Admits(FigureSpan other) => Least <= other.Least && other.Most <= Most;
}

/// <summary>The fields of the structures that calls fill in, by the names that observations and
/// traces use too.</summary>
internal static class ReplyFields
{
    public static IReadOnlyList<FigureSpan> Of(ReplyData? data) => data switch
    {
        null => [],
        SegmentStat s =>
        [
            new("key", s.Key), new("uid", s.Uid), new("gid", s.Gid), new("cuid", s.Cuid),
            new("cgid", s.Cgid), new("mode", s.Mode), new("segsz", s.SegmentSize),
            new("cpid", s.CreatorPid), new("lpid", s.LastPid), new("nattch", s.Attaches),
            new("atime", s.AttachTime), new("dtime", s.DetachTime), new("ctime", s.ChangeTime),
        ],
        ShmTotals t =>
        [
            new("used_ids", t.UsedIds), new("shm_tot", t.Total), new("shm_rss", t.Resident),
            new("shm_swp", t.Swapped),
        ],
        ShmLimits l =>
        [
            new("shmmax", l.Max), new("shmmin", l.Min), new("shmmni", l.Mni),
            new("shmseg", l.Seg), new("shmall", l.All),
        ],
        _ => throw new InvalidOperationException($"unknown data {data.GetType().Name}"),
    };
}
