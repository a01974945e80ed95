using System.Globalization;
using System.Text;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Counts which falsifications a judge notices.</summary>
/// <param name="judge">The judge: of a text and the path of a sidecar.</param>
internal sealed class Census(Func<string, string?, Verdict> judge)
{
    private readonly SortedDictionary<string, Count> _counts = new(StringComparer.Ordinal);
    private readonly List<(string Log, Forgery Forgery)> _survivors = [];

    /// <summary>Falsifications that were not noticed.</summary>
    public IReadOnlyList<(string Log, Forgery Forgery)> Survivors => _survivors;

    /// <summary>How many were judged.</summary>
    public int Judged => _counts.Values.Sum(count => count.Judged);

    /// <summary>How many were noticed.</summary>
    public int Noticed => _counts.Values.Sum(count => count.Noticed);

    /// <summary>The fields that were falsified.</summary>
    public IEnumerable<string> Fields => _counts.Keys.Select(key => key.Split(' ')[0]).Distinct();

    /// <summary>Has falsified copies of a log judged.</summary>
    /// <param name="log">Its name.</param>
    /// <param name="text">The log.</param>
    /// <param name="sidecar">Path of its sidecar, if it has one.</param>
    /// <param name="forgeries">What to falsify, one at a time.</param>
    public void Take(string log, string text, string? sidecar, IEnumerable<Forgery> forgeries)
    {
        foreach (Forgery forgery in forgeries)
        {
            Verdict verdict = judge(forgery.Apply(text), sidecar);
            bool isNoticed = verdict.Judgement == Judgement.Unexplained;
            string key = $"{forgery.Field} {forgery.Doubt}";
            Count before = _counts.GetValueOrDefault(key);
            _counts[key] = new Count(
                before.Judged + 1, before.Noticed + (isNoticed ? 1 : 0),
                before.OnLine + (isNoticed && verdict.Line == forgery.Line ? 1 : 0));
            if (!isNoticed)
            {
                _survivors.Add((log, forgery));
            }
        }
    }

    /// <summary>A table: for each field and doubt, how many were judged, noticed, and noticed on
    /// the very line.</summary>
    public string Table()
    {
        var table = new StringBuilder();
        foreach ((string key, Count count) in _counts)
        {
            table.AppendLine(
                CultureInfo.InvariantCulture,
                $"{key,-40} {count.Judged,5} {count.Noticed,5} {count.OnLine,5}");
        }

        return table.AppendLine(
            CultureInfo.InvariantCulture, $"{"all",-40} {Judged,5} {Noticed,5}").ToString();
    }

    private readonly record struct Count(int Judged, int Noticed, int OnLine);
}
