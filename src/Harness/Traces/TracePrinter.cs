using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>Writes traces. <see cref="TraceParser"/> reads back what it writes.</summary>
public static class TracePrinter
{
    /// <summary>The whole trace, each line ended by LF.</summary>
    public static string Print(Trace trace)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# shmcheck trace {Trace.Version}\n");
        text.Append(MachineText.Print(trace.Machine)).Append('\n');
        foreach (TraceLine line in trace.Lines)
        {
            text.Append(Print(line)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>One line, without its end.</summary>
    public static string Print(TraceLine line) => line switch
    {
        TraceComment { Text: null } => "",
        TraceComment comment => $"#{comment.Text}",
        TracedCall call => Print(call),
        TracedObservation observation =>
            "observe " + string.Join(" ", observation.Rows.Select(Print)),
        _ => throw new InvalidOperationException($"unknown line {line}"),
    };

    /// <summary>A call without its reply.</summary>
    public static string Print(Call call) => CallPrinter.Print(call);

    /// <summary>A reply, as it stands behind the equals sign.</summary>
    /// <param name="call">The call it belongs to.</param>
    /// <param name="reply">The reply.</param>
    public static string Print(Call call, ExpectedReply reply) => reply switch
    {
        ExpectedReply.Bound => CallPrinter.ResultOf(call) ?? "ok",
        ExpectedReply.Value value => PrintResult(call, value.Result) + Print(value.Fields),
        ExpectedReply.Error error => $"-1 {error.Errno}",
        ExpectedReply.Raised raised => raised.Signal.ToString(),
        _ => throw new InvalidOperationException($"unknown reply {reply}"),
    };

    private static string Print(TracedCall line)
    {
        string call = CallPrinter.Print(line.Call);
        return line.Expected is { } reply ? $"{call} = {Print(line.Call, reply)}"
            : CallPrinter.ResultOf(line.Call) is { } handle ? $"{call} = {handle}?"
            : call;
    }

    private static string PrintResult(Call call, ExpectedValue value) =>
        value.Kind == ExpectedValueKind.Number && call is Load
            ? $"0x{value.Number:x}" : FieldText.Print("", value);

    private static string Print(ImmutableArray<ExpectedField> fields) =>
        fields.IsEmpty ? "" : $" {{{string.Join(", ", fields.Select(FieldText.Print))}}}";

    private static string Print(ExpectedRow row)
    {
        if (row.Kind == ExpectedRowKind.Global)
        {
            return string.Join(" ", row.Fields.Select(FieldText.Print));
        }

        string subject = row.Kind switch
        {
            ExpectedRowKind.Namespace => $"ipc{row.Number}",
            ExpectedRowKind.Segment => $"s{row.Number}",
            ExpectedRowKind.Process => $"p{row.Number}",
            ExpectedRowKind.Mapping => $"p{row.Number}:{row.Address}",
            _ => throw new InvalidOperationException($"unknown row {row.Kind}"),
        };
        return $"{subject} {{{string.Join(", ", row.Fields.Select(FieldText.Print))}}}";
    }
}
