using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Checking;

/// <summary>Compares a reply with the one that the specification gives.</summary>
internal static class ReplyComparer
{
    private const string Subject = "reply";

    /// <summary>Whether they agree; time stamps agree when the specification admits them.
    /// </summary>
    public static bool Agree(Reply expected, Reply actual) =>
        ReferenceEquals(expected, actual) || (expected, actual) switch
        {
            (Reply.Value e, Reply.Value a) => e.Result == a.Result && Agree(e.Data, a.Data),
            _ => expected == actual,
        };

    /// <summary>What differs between two replies that do not agree.</summary>
    public static List<Difference> Differences(
        Reply expected, Reply actual, Bindings bindings)
    {
        if (expected is not Reply.Value e || actual is not Reply.Value a)
        {
            return [new Difference(Subject, "reply", Text(expected), Text(actual), "")];
        }

        var differences = new List<Difference>();
        if (e.Result != a.Result)
        {
            differences.Add(new Difference(Subject, "value", Text(e), Text(a), ""));
        }

        if (e.Data?.GetType() != a.Data?.GetType())
        {
            differences.Add(new Difference(
                Subject, "structure", e.Data?.GetType().Name ?? "none",
                a.Data?.GetType().Name ?? "none", ""));
            return differences;
        }

        foreach ((FigureSpan field, FigureSpan other) in
            ReplyFields.Of(e.Data).Zip(ReplyFields.Of(a.Data)))
        {
            if (!field.Admits(other))
            {
                differences.Add(FieldText.Difference(Subject, field, other, bindings));
            }
        }

        return differences;
    }

    /// <summary>A reply in words.</summary>
    public static string Text(Reply reply) => reply switch
    {
        Reply.Value value => value.Result.ToString(CultureInfo.InvariantCulture),
        Reply.Error error => $"-1 {error.Errno}",
        Reply.Raised raised => raised.Signal.ToString(),
        Reply.Lost lost => $"no reply ({lost.Reason})",
        _ => throw new InvalidOperationException($"unknown reply {reply}"),
    };

    private static bool Agree(ReplyData? expected, ReplyData? actual) =>
        (expected, actual) switch
        {
            (SegmentStat e, SegmentStat a) => Admits(e, a),
            _ => expected == actual,
        };

    private static bool Admits(SegmentStat e, SegmentStat a) =>
        e.AttachTime.Admits(a.AttachTime) && e.DetachTime.Admits(a.DetachTime)
        && e.ChangeTime.Admits(a.ChangeTime) && WithoutStamps(e) == WithoutStamps(a);

    private static SegmentStat WithoutStamps(SegmentStat stat) =>
        stat with { AttachTime = default, DetachTime = default, ChangeTime = default };
}
