using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Reporting;

/// <summary>A divergence in words: the same text on the console, in files and in snapshots.
/// </summary>
public static class DivergenceText
{
    /// <summary>A run as a trace with the specification's replies, ended by what differs, the
    /// machine around the call at which it does, and how short the run is known to be.</summary>
    /// <param name="record">The run.</param>
    /// <param name="shrunk">What shrinking made of it; none when it was not shrunk.</param>
    public static string Trace(RunRecord record, ShrinkResult? shrunk = null)
    {
        var lines = ImmutableArray.CreateBuilder<TraceLine>();
        Reply? due = StatePicture.ReplyDue(record);
        for (int at = 0; at < record.Calls.Count; at++)
        {
            Call call = record.Calls[at];
            Reply? shown = at == record.Calls.Count - 1 ? due ?? record.Replies[at]
                : record.Replies[at];
            if (shown is { } reply)
            {
                lines.Add(new TracedCall(
                    call, ReplyRendering.Render(call, reply, record.Bindings)));
            }
        }

        lines.AddRange(record.Sent.Select(call => new TracedCall(call, null)));
        if (record.Divergence is { } divergence)
        {
            IEnumerable<string> told = Explain(Due(divergence, due)).Split('\n')
                .Concat(StatePicture.Draw(record))
                .Concat(record.Allowances.Known.Where(known => known.Row.IsProvisional)
                    .Select(known => $"stepped around: {known.Row.Fingerprint}"))
                .Concat(shrunk is null ? [] : [Certify(shrunk)]);
            lines.AddRange(told.Select(
                text => new TraceComment(text.Length == 0 ? "" : $" {text}")));
        }

        return TracePrinter.Print(new Trace(record.Machine, lines.ToImmutable()));
    }

    /// <summary>Names the reply that is due from a system that broke down, unless it is a number
    /// that the system may choose.</summary>
    private static Divergence Due(Divergence divergence, Reply? due) =>
        due is null || (due is Reply.Value && ReplyRendering.BindsResult(divergence.Call!))
            ? divergence : divergence with
            {
                Differences =
                [
                    .. divergence.Differences.Select(
                        d => d with { Expected = ReplyComparer.Text(due) }),
                ],
            };

    /// <summary>What differs at the last call, and which rule says so.</summary>
    public static string Explain(Divergence divergence)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"diverges: {divergence.Fingerprint}\n");
        foreach (Difference difference in divergence.Differences)
        {
            text.Append("  ").Append(Explain(difference)).Append('\n');
        }

        if (divergence.Rule is { } rule)
        {
            text.Append(CultureInfo.InvariantCulture, $"rule {rule.Id}: {rule.Statement}\n");
            text.Append(CultureInfo.InvariantCulture, $"  source: {rule.Source}\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    private static string Certify(ShrinkResult shrunk)
    {
        string certificate = CertificateText.Of(shrunk.Certificate);
        bool bounded = shrunk.Certificate == Certificate.OneMinimal && shrunk.LowerBound > 0;
        return $"certificate: {certificate}"
            + (bounded ? $", at least {shrunk.LowerBound} calls" : "")
            + (shrunk.Minimal ? "" : $"; not shrunk further: {shrunk.Executions} executions");
    }

    private static string Explain(Difference difference)
    {
        if (difference.Subject == Difference.OfSpecification)
        {
            return $"the specification contradicts itself: {difference.Field} does not hold: "
                + difference.Actual;
        }

        string what = difference.Subject == difference.Field
            ? difference.Subject : $"{difference.Subject} {difference.Field}";
        string unit = difference.Unit.Length == 0 ? "" : $" {difference.Unit}";
        return $"{what}: expected {difference.Expected}{unit}, the system says "
            + difference.Actual;
    }
}
