using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Reporting;

/// <summary>The machine around the call at which a system diverges, as the specification has it:
/// the pages of the segments, the page table entries of their mappings, and the figures that
/// change or are wrong, before the call and after it, beside what the system shows.</summary>
internal sealed class StatePicture
{
    private const string Mark = "  <--";
    private const string None = "0";

    /// <summary>Strips beyond these are left out: what matters is then lost in them.</summary>
    private const int MostStrips = 12;

    private readonly RunRecord _record;
    private readonly Divergence _divergence;
    private readonly Bindings _bindings = new();
    private readonly ReplyChoices _choices = new(
        SpecSystem.Factory.Capabilities with { ChoosesIdentifiersFreely = true });
    private readonly StepContext _context;
    private SpecState _state;

    private StatePicture(RunRecord record, Divergence divergence, int firstPid)
    {
        (_record, _divergence) = (record, divergence);
        _context = new StepContext(_bindings, _choices, new StepLog());
        _bindings.Bind(ProcessHandle.First, firstPid);
        _state = Specification.Start(record.Machine, firstPid);
    }

    /// <summary>The picture, line by line; empty for a run that did not diverge, or of which the
    /// specification has no states.</summary>
    public static IEnumerable<string> Draw(RunRecord record) =>
        record.Divergence is { Step: >= 0 } divergence
            && (divergence.Rule is not null || IsBrokenDown(record))
            && record.Bindings.TryResolve(ProcessHandle.First, out int pid)
                ? new StatePicture(record, divergence, pid).Lines() : [];

    /// <summary>What the specification replies to the call in which the system broke down; null
    /// where it did not, or not in a call.</summary>
    public static Reply? ReplyDue(RunRecord record) =>
        IsBrokenDown(record) && record.Bindings.TryResolve(ProcessHandle.First, out int pid)
            ? new StatePicture(record, record.Divergence!, pid).ReplyDue() : null;

    private static bool IsBrokenDown(RunRecord record) =>
        record.Divergence is { Rule: null, Fingerprint: { Call: not null } fingerprint } divergence
            && fingerprint.Rule is Breakdown.Threw or Breakdown.Hung
            && divergence.Step == record.Calls.Count - 1;

    private List<string> Lines()
    {
        StepUpToLast();
        SpecState before = _state;
        int last = _record.Calls.Count - 1;
        Step(last, IsBrokenDown(_record) ? ReplyDue(last) : _record.Replies[last]);
        bool locks = before.LockedByUser.Count + _state.LockedByUser.Count > 0;
        return Lines(
        [
            .. Row.Join(Strips(before), Strips(_state)).Take(MostStrips),
            .. locks ? Row.Join(Charges(before), Charges(_state)) : [],
            .. Row.Join(Figures(before), Figures(_state)).Where(IsTold),
        ]);
    }

    private Reply ReplyDue()
    {
        StepUpToLast();
        return ReplyDue(_record.Calls.Count - 1);
    }

    private Reply ReplyDue(int at) => Specification.Step(
        _state, _record.Calls[at], _context with { Choices = new CanonicalChoices() }).Reply;

    private void StepUpToLast()
    {
        for (int at = 0; at < _record.Calls.Count - 1; at++)
        {
            Step(at, _record.Replies[at]);
        }
    }

    /// <summary>Makes a step of the run again, with the choices that its reply shows.</summary>
    private void Step(int at, Reply? shown)
    {
        if (shown is not { } reply)
        {
            return;
        }

        Call call = _record.Calls[at];
        _choices.Use(reply);
        _choices.InjectionHappened = call.Injection is not null && reply is Reply.Error;
        _bindings.Bind(call, reply);
        _context.Now = Stamp.At(at + 1);
        _state = Specification.Step(_state, call, _context).State;
    }

    /// <summary>The table, with a column for the system where its figures were compared.
    /// </summary>
    private List<string> Lines(Row[] rows)
    {
        if (rows.Length == 0)
        {
            return [];
        }

        bool compared = _divergence.Differences.All(d => d.Subject != "reply");
        string[][] cells =
        [
            ["state", "before", "after", compared ? "the system" : ""],
            .. rows.Select(row => Cells(row, compared)),
        ];
        int[] widths = [.. Enumerable.Range(0, 3).Select(c => cells.Max(line => line[c].Length))];
        List<string> lines =
        [
            .. cells.Select(line => string.Join("  ", line.Select(
                (cell, c) => c < widths.Length ? cell.PadRight(widths[c]) : cell)).TrimEnd()),
        ];
        string letters = string.Concat(rows.Where(r => r.IsStrip).Select(
            r => r.Before.Split(' ')[0] + r.After.Split(' ')[0]));
        string legend = string.Join(", ", PageStrip.Legend
            .Where(entry => letters.Contains(entry.Letter, StringComparison.Ordinal))
            .Select(entry => $"{entry.Letter} {entry.Meaning}"));
        return legend.Length == 0 ? lines : [.. lines, $"  ({legend})"];
    }

    private string[] Cells(Row row, bool compared)
    {
        string? wrong = DifferenceOf(row)?.Actual;
        string seen = wrong is not null ? wrong + Mark
            : !row.IsFigure || !compared ? "" : row.After;
        return [$"  {row.Name}", row.Before, row.After, seen];
    }

    /// <summary>A figure of what comes into being or goes is told unless it is 0. Of a mapping
    /// that does, its entries tell all, and of the rights of a segment the calls do.</summary>
    private bool IsTold(Row row) => DifferenceOf(row) is not null
        || row.Table != Table.Rights
        && !(row.Table == Table.Mappings && (row.Before.Length == 0 || row.After.Length == 0))
        && (row.Before.Length == 0 ? None : row.Before)
            != (row.After.Length == 0 ? None : row.After);

    private Difference? DifferenceOf(Row row) =>
        _divergence.Differences.FirstOrDefault(d => $"{d.Subject} {d.Field}" == row.Name);

    private IEnumerable<Row> Strips(SpecState state)
    {
        ulong page = state.Config.PageSize;
        foreach (Segment segment in state.Segments.Rows)
        {
            string name = RowNames.Segment(segment.Id.Value, _bindings);
            yield return new Row(
                Table.Pages, $"{name} pages", "", PageStrip.Of(segment.Object));
        }

        foreach (ThreadGroup group in state.Groups.Rows)
        {
            AddressSpace space = state.Spaces[
                state.Tasks.Rows.First(task => task.Tgid == group.Tgid).Space];
            foreach (Mapping mapping in space.Mappings.Rows.Where(m => m.Segment is not null))
            {
                string name = RowNames.Mapping(group.Tgid, mapping.Start, page, _bindings);
                yield return new Row(
                    Table.Entries, $"{name} entries", "", PageStrip.Of(space, mapping, page));
            }
        }
    }

    /// <summary>What users have locked by SHM_LOCK, and which segments, where the call is about
    /// that: no figure shows it.</summary>
    private IEnumerable<Row> Charges(SpecState state)
    {
        var call = _record.Calls[^1] as SegmentCall;
        if (call is not (ShmCtlLock or ShmCtlUnlock))
        {
            yield break;
        }

        if (Caller.Of(call, state, _bindings) is { } caller)
        {
            Credentials who = caller.Credentials;
            state.LockedByUser.TryGet((uint)who.Uid, out ulong pages);
            ulong limit = state.Groups[(ulong)caller.Tgid].MemLock / state.Config.PageSize;
            yield return new Row(
                Table.Users, $"user {who.Uid} has locked", "",
                who.Has(CapabilitySet.CAP_IPC_LOCK) ? $"{pages} pages"
                    : $"{pages} of {limit} pages");
        }

        foreach (Segment segment in state.Segments.Rows.Where(s => s.LockedBy is not null))
        {
            string name = RowNames.Segment(segment.Id.Value, _bindings);
            yield return new Row(
                Table.Charges, $"{name} is charged to", "", $"user {segment.LockedBy}");
        }
    }

    private List<Row> Figures(SpecState state)
    {
        var seen = new Observation();
        Specification.Observe(state, seen, new Observation());
        ulong page = state.Config.PageSize;
        var rows = new List<Row>();
        NameOf segment = row => RowNames.Segment((int)row[(int)SegmentField.shmid], _bindings);
        Add(rows, Table.Rights, seen.Segments,
            (int)SegmentField.key..(int)SegmentField.segsz, segment);
        Add(rows, Table.Segments, seen.Segments, (int)SegmentField.segsz.., segment);
        Add(rows, Table.Mappings, seen.Mappings, (int)MappingField.Rss..,
            row => RowNames.Mapping(
                (int)row[(int)MappingField.Pid], row[(int)MappingField.Start], page, _bindings));
        Add(rows, Table.Processes, seen.Processes, (int)ProcessField.VmSize..,
            row => RowNames.Process((int)row[(int)ProcessField.Pid], _bindings));
        Add(rows, Table.Namespaces, seen.Namespaces, (int)NamespaceField.used_ids..,
            row => $"ipc{row[(int)NamespaceField.Namespace]}");
        Add(rows, Table.Machine, seen.Global, (int)GlobalField.HugePages_Total..,
            _ => "machine");
        return rows;
    }

    private delegate string NameOf(ReadOnlySpan<ulong> row);

    /// <summary>Adds the figures of a range of fields that are no pids and no stamps.</summary>
    private static void Add<TField>(
        List<Row> rows, Table table, ObservationRows<TField> seen, Range range, NameOf nameOf)
        where TField : struct, Enum
    {
        string[] fields = Enum.GetNames<TField>();
        (int first, int count) = range.GetOffsetAndLength(fields.Length);
        for (int row = 0; row < seen.Count; row++)
        {
            string name = nameOf(seen[row]);
            for (int at = first; at < first + count; at++)
            {
                if (FieldText.StyleOf(fields[at]) is not (FieldStyle.Process or FieldStyle.Stamp))
                {
                    string figure = FieldText.Print(fields[at], seen[row][at]);
                    rows.Add(new Row(table, $"{name} {fields[at]}", "", figure));
                }
            }
        }
    }

    /// <summary>What rows are about, in the order in which they are told.</summary>
    private enum Table
    {
        Pages,
        Entries,
        Users,
        Charges,
        Rights,
        Segments,
        Mappings,
        Processes,
        Namespaces,
        Machine,
    }

    /// <summary>A line of the picture: what it shows, before the call and after it; empty where
    /// there is none.</summary>
    private sealed record Row(Table Table, string Name, string Before, string After)
    {
        public bool IsStrip => Table is Table.Pages or Table.Entries;

        public bool IsFigure => Table >= Table.Rights;

        /// <summary>Joins the rows of two states by their names. Those that only the second one
        /// has come last in their table.</summary>
        public static IEnumerable<Row> Join(IEnumerable<Row> before, IEnumerable<Row> after)
        {
            List<Row> later = [.. after];
            var joined = new List<Row>();
            foreach (Row row in before)
            {
                int at = later.FindIndex(r => r.Name == row.Name);
                joined.Add(row with
                {
                    Before = row.After, After = at < 0 ? "" : later[at].After,
                });
                if (at >= 0)
                {
                    later.RemoveAt(at);
                }
            }

            return joined.Concat(later).OrderBy(row => row.Table);
        }
    }
}
