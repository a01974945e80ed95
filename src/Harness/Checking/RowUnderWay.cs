using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>A call as it is judged.</summary>
/// <param name="Rule">The rule that decides it.</param>
/// <param name="Made">The same, where the call succeeds.</param>
/// <param name="Namespace">The namespace of its caller.</param>
internal readonly record struct PresentCall(string Rule, string? Made, int Namespace);

/// <summary>A row of a ledger while what was seen after one call is put right by it.</summary>
/// <param name="Row">The row.</param>
/// <param name="State">The state that the specification reached.</param>
/// <param name="Expected">What it shows.</param>
/// <param name="Shown">What the system shows; put right.</param>
/// <param name="SoFar">What it has shown before.</param>
/// <param name="Present">The call.</param>
internal readonly record struct RowUnderWay(
    LedgerRow Row, SpecState State, Observation Expected, Observation Shown, ShownSoFar SoFar,
    PresentCall Present)
{
    /// <summary>Puts one kind of figure right; false when none of the kind is wrong as known.
    /// </summary>
    public bool TryFigures(WrongFigure figure) => figure switch
    {
        WrongFigure.Single { Subject: FigureSubject.Machine } f =>
            (f.SizeAbove is not { } size || IsCharged(size))
            && TryRows(f, Expected.Global, Shown.Global, 0),
        WrongFigure.Single { Subject: FigureSubject.Namespace } f =>
            TryRows(f, Expected.Namespaces, Shown.Namespaces, 1),
        WrongFigure.Single { Subject: FigureSubject.Segment } f =>
            TryRows(f, Expected.Segments, Shown.Segments, 2),
        WrongFigure.Single { Subject: FigureSubject.Process } f =>
            TryRows(f, Expected.Processes, Shown.Processes, 1),
        WrongFigure.Single { Subject: FigureSubject.Mapping } f =>
            TryRows(f, Expected.Mappings, Shown.Mappings, 2),
        WrongFigure.Total { Subject: FigureSubject.Namespace } total => TryNamespaces(total),
        _ => false,
    };

    private bool IsCharged(ulong sizeAbove) => State.Segments.Rows.Any(
        segment => segment.Size > sizeAbove && segment.Object is { IsHuge: false, Promised: true });

    /// <summary>SHM_INFO put right; null when the figure is not wrong as known.</summary>
    public ShmTotals? TryTotals(WrongFigure figure, ShmTotals right, ShmTotals seen, int ns)
    {
        ShownSoFar soFar = SoFar;
        (string? field, WrongValue? wrong) = figure switch
        {
            WrongFigure.Single { Subject: FigureSubject.ShmInfo } f => (f.Field, f.Value),
            WrongFigure.Total { Subject: FigureSubject.ShmInfo } f =>
                (f.Field, new WrongValue.Plus((long)Excess(f.Of, (ulong)ns))),
            _ => (null, null),
        };
        return field is not null && Get(seen, field) != Get(right, field)
            && Explains(Get(right, field), Get(seen, field))
                ? With(seen, field, Get(right, field)) : null;

        bool Explains(ulong correct, ulong shown) => wrong switch
        {
            WrongValue.Another another => shown == Get(seen, another.Name),
            WrongValue.Counts counts => shown == soFar.CountOf(counts.Rule, ns),
            _ => wrong!.Explains(correct, shown),
        };
    }

    /// <summary>What IPC_STAT returns of a segment put right; null when the figure is not wrong as
    /// known.</summary>
    public SegmentStat? TryStat(
        WrongFigure.Single figure, SegmentStat right, SegmentStat seen, int? id)
    {
        (ShownSoFar soFar, int ns) = (SoFar, Present.Namespace);
        bool Explains(FigureSpan correct, FigureSpan shown) =>
            figure.Value is WrongValue.Stays
                ? id is { } known && soFar.Stays(figure, ns, known, shown.Least)
                : figure.Value.Explains(correct.Least, shown.Least);
        FigureSpan Field(SegmentStat stat) =>
            ReplyFields.Of(stat).FirstOrDefault(span => span.Name == figure.Field);
        FigureSpan correct = Field(right);
        return correct.Name is not null && figure.Kind == default && !correct.Admits(Field(seen))
            && Explains(correct, Field(seen))
                ? With(seen, figure.Field, right) : null;
    }

    private static SegmentStat With(SegmentStat seen, string field, SegmentStat right) =>
        field switch
        {
            "key" => seen with { Key = right.Key },
            "uid" => seen with { Uid = right.Uid },
            "gid" => seen with { Gid = right.Gid },
            "cuid" => seen with { Cuid = right.Cuid },
            "cgid" => seen with { Cgid = right.Cgid },
            "mode" => seen with { Mode = right.Mode },
            "segsz" => seen with { SegmentSize = right.SegmentSize },
            "cpid" => seen with { CreatorPid = right.CreatorPid },
            "lpid" => seen with { LastPid = right.LastPid },
            "nattch" => seen with { Attaches = right.Attaches },
            "atime" => seen with { AttachTime = right.AttachTime },
            "dtime" => seen with { DetachTime = right.DetachTime },
            "ctime" => seen with { ChangeTime = right.ChangeTime },
            _ => throw new ArgumentOutOfRangeException(nameof(field), field, "unknown field"),
        };

    private bool TryRows<TField>(
        WrongFigure.Single figure, ObservationRows<TField> expected,
        ObservationRows<TField> shown, int keys)
        where TField : struct, Enum
    {
        int column = Column<TField>(figure.Field);
        bool met = false;
        for (int at = 0; at < Math.Min(expected.Count, shown.Count); at++)
        {
            ReadOnlySpan<ulong> right = expected[at];
            Span<ulong> seen = shown[at];
            if (right[..keys].SequenceEqual(seen[..keys]) && seen[column] != right[column]
                && Explains<TField>(figure, right, seen) && IsOf(figure, right))
            {
                seen[column] = right[column];
                met = true;
            }
        }

        return met;
    }

    private bool Explains<TField>(
        WrongFigure.Single figure, ReadOnlySpan<ulong> right, ReadOnlySpan<ulong> seen)
        where TField : struct, Enum
    {
        int column = Column<TField>(figure.Field);
        return figure.Value switch
        {
            WrongValue.Another another => seen[column] == seen[Column<TField>(another.Name)],
            WrongValue.Stays => SoFar.Stays(figure, Present.Rule, right, seen[column]),
            WrongValue.Counts counts => seen[column]
                == SoFar.CountOf(counts.Rule, (int)right[0])
                    + (Present.Made == counts.Rule && Present.Namespace == (int)right[0] ? 1ul : 0),
            _ => figure.Value.Explains(right[column], seen[column]),
        };
    }

    private bool TryNamespaces(WrongFigure.Total total)
    {
        int column = Column<NamespaceField>(total.Field);
        bool met = false;
        for (int at = 0; at < Math.Min(Expected.Namespaces.Count, Shown.Namespaces.Count); at++)
        {
            ReadOnlySpan<ulong> right = Expected.Namespaces[at];
            Span<ulong> seen = Shown.Namespaces[at];
            ulong ns = right[(int)NamespaceField.Namespace];
            if (ns == seen[(int)NamespaceField.Namespace] && seen[column] != right[column]
                && seen[column] == unchecked(right[column] + Excess(total.Of, ns)))
            {
                seen[column] = right[column];
                met = true;
            }
        }

        return met;
    }

    /// <summary>By how much the wrong figures of the segments of a namespace exceed the right
    /// ones. What the system shows of each does not matter: it may show the total alone.
    /// </summary>
    private ulong Excess(SegmentField field, ulong ns)
    {
        ulong excess = 0;
        foreach (WrongFigure.Single figure in Row.Figures.OfType<WrongFigure.Single>())
        {
            for (int at = 0; figure.Subject == FigureSubject.Segment
                && figure.Field == field.ToString() && at < Expected.Segments.Count; at++)
            {
                ReadOnlySpan<ulong> right = Expected.Segments[at];
                if (right[(int)SegmentField.Namespace] == ns && IsOf(figure, right))
                {
                    ulong value = right[(int)field];
                    excess = unchecked(excess + figure.Value.Of(value) - value);
                }
            }
        }

        return excess;
    }

    /// <summary>Whether the segment that a row is of, or is a mapping of, is of the kind.
    /// </summary>
    private bool IsOf(WrongFigure.Single figure, ReadOnlySpan<ulong> row)
    {
        if (figure.Kind.Huge is not { } huge)
        {
            return true;
        }

        MemoryObject? holder = figure.Subject switch
        {
            FigureSubject.Segment => ObjectOf(
                (int)row[(int)SegmentField.Namespace], (int)row[(int)SegmentField.shmid]),
            FigureSubject.Mapping => ObjectOfMapping(
                (int)row[(int)MappingField.Pid], row[(int)MappingField.Start]),
            _ => null,
        };
        return holder is not null && holder.IsHuge == huge
            && holder.PageSize == (figure.Kind.PageSize ?? holder.PageSize);
    }

    private MemoryObject? ObjectOf(int ns, int id) => State.Segments.TryGet(
        SegmentKey.Of(ns, new ShmId(id).Index).Value, out Segment? segment)
            ? segment.Object : null;

    private MemoryObject? ObjectOfMapping(int pid, ulong start)
    {
        foreach (KernelTask task in State.Tasks.Rows)
        {
            if (task.Tgid == pid && State.Spaces[task.Space].Mappings.TryGet(
                start, out Mapping? mapping))
            {
                return mapping.Segment is { } key ? State.Segments[key.Value].Object : null;
            }
        }

        return null;
    }

    private static int Column<TField>(string field)
        where TField : struct, Enum =>
        Convert.ToInt32(Enum.Parse<TField>(field), null);

    private static ulong Get(ShmTotals totals, string field) => field switch
    {
        "used_ids" => totals.UsedIds,
        "shm_tot" => totals.Total,
        "shm_rss" => totals.Resident,
        "shm_swp" => totals.Swapped,
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "unknown field"),
    };

    private static ShmTotals With(ShmTotals totals, string field, ulong value) => field switch
    {
        "used_ids" => totals with { UsedIds = value },
        "shm_tot" => totals with { Total = value },
        "shm_rss" => totals with { Resident = value },
        "shm_swp" => totals with { Swapped = value },
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "unknown field"),
    };
}
