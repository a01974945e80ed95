using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Joins the lines of several sections by their stamps.</summary>
/// <remarks>A line of a section carries the stamp of the entry only, and what other tasks did
/// before the call returned stands in other sections. So the return becomes a line of its own: at
/// entry plus duration, or else just before the next line of the task, the latest it can have
/// been.</remarks>
internal static class SectionMerger
{
    /// <summary>Joins sections.</summary>
    /// <param name="sections">The lines of each, in order.</param>
    /// <param name="format">Told about ties and missing stamps.</param>
    public static List<LogLine> Merge(List<List<LogLine>> sections, StraceFormat format)
    {
        sections.RemoveAll(section => section.Count == 0);
        format.MergedSections = Math.Max(1, sections.Count);
        if (sections.Count <= 1)
        {
            return sections.Count == 0 ? [] : sections[0];
        }

        bool comparable = format.Stamps is StampKind.TimeOfDay or StampKind.Epoch
            && sections.TrueForAll(section => section[0].Time is not null);
        if (!comparable)
        {
            format.OrderUnknown = true;
            return sections.ConvertAll(section => section).SelectMany(lines => lines).ToList();
        }

        List<List<Keyed>> keyed = sections.ConvertAll(section => SplitReturns(section));
        AlignDays(keyed, format);
        return MergeByKey(keyed, format);
    }

    /// <summary>A line and its place in time.</summary>
    /// <param name="Line">The line.</param>
    /// <param name="Key">The place.</param>
    /// <param name="IsStamped">The place is a stamp of its own.</param>
    /// <param name="Whole">Of a return: the line that was split.</param>
    private readonly record struct Keyed(
        LogLine Line, long Key, bool IsStamped, LogLine? Whole = null);

    private static List<Keyed> SplitReturns(List<LogLine> section)
    {
        var result = new List<Keyed>(section.Count * 2);
        long key = section[0].Time ?? 0;
        for (int i = 0; i < section.Count; i++)
        {
            LogLine line = section[i];
            key = Math.Max(key, line.Time ?? key);
            bool isLast = i + 1 == section.Count;
            long next = isLast ? key : Math.Max(key, section[i + 1].Time ?? key);
            if (line.Call is not { Part: CallPart.Entry, Tail: CallTail.Complete } call)
            {
                result.Add(new Keyed(line, key, line.Time is not null));
                continue;
            }

            LogLine entry = EntryOf(line, call);
            long? returned = call.Duration is long duration && line.Time is long time
                ? Math.Clamp(unchecked(time + duration), key, isLast ? long.MaxValue : next)
                : null;
            result.Add(new Keyed(entry, key, line.Time is not null));
            result.Add(new Keyed(ReturnOf(entry, call, returned), returned ?? next, false, line));
        }

        return result;
    }

    private static LogLine EntryOf(LogLine line, CallText call) => new(line.Position)
    {
        Task = line.Task,
        Time = line.Time,
        Call = call with { Tail = CallTail.Unfinished, Result = default, Duration = null },
    };

    private static LogLine ReturnOf(LogLine entry, CallText call, long? time) =>
        new(entry.Position)
        {
            Task = entry.Task,
            Time = time,
            Continues = entry,
            Call = call with { Part = CallPart.Continuation, Arguments = "" },
        };

    /// <summary>Times of the day: a section that starts half a day before another one started
    /// after midnight.</summary>
    private static void AlignDays(List<List<Keyed>> sections, StraceFormat format)
    {
        if (format.Stamps != StampKind.TimeOfDay)
        {
            return;
        }

        long latest = sections.Max(section => section[0].Key);
        foreach (List<Keyed> section in sections)
        {
            long shift = section[0].Key < latest - StampReader.Day / 2 ? StampReader.Day : 0;
            for (int i = 0; i < section.Count && shift > 0; i++)
            {
                section[i].Line.Time += shift;
                section[i] = section[i] with { Key = section[i].Key + shift };
            }
        }
    }

    private static List<LogLine> MergeByKey(List<List<Keyed>> sections, StraceFormat format)
    {
        var result = new List<LogLine>(sections.Sum(section => section.Count));
        var next = new int[sections.Count];
        var queue = new PriorityQueue<int, (long Key, int Section)>();
        for (int i = 0; i < sections.Count; i++)
        {
            queue.Enqueue(i, (sections[i][0].Key, i));
        }

        (int Section, long Key) last = (-1, 0);
        while (queue.TryDequeue(out int section, out _))
        {
            Keyed item = sections[section][next[section]++];
            if (item.IsStamped)
            {
                bool isTie = last.Section >= 0 && last.Section != section && last.Key == item.Key;
                format.StampTies += isTie ? 1 : 0;
                format.FirstTie ??= isTie ? item.Line.Position : null;
                last = (section, item.Key);
            }

            Append(result, item);
            if (next[section] < sections[section].Count)
            {
                queue.Enqueue(section, (sections[section][next[section]].Key, section));
            }
        }

        return result;
    }

    /// <summary>Adds a line; a return right behind its entry makes one line of the two again.
    /// </summary>
    private static void Append(List<LogLine> result, Keyed item)
    {
        if (item.Whole is LogLine whole && result[^1] == item.Line.Continues)
        {
            whole.Time = result[^1].Time;
            result[^1] = whole;
            return;
        }

        result.Add(item.Line);
    }
}
