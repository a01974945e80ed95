namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>One change of one figure or error of a log.</summary>
/// <param name="Line">Line that is changed, counted from 1.</param>
/// <param name="Field">What is changed: <c>stat.nattch</c>, <c>shmget.errno</c>.</param>
/// <param name="Offset">Where in the text of the log.</param>
/// <param name="Old">What stands there.</param>
/// <param name="New">What shall stand there.</param>
/// <param name="Doubt">What could explain it all the same.</param>
public sealed record Forgery(
    int Line, string Field, int Offset, string Old, string New, Doubt Doubt)
{
    /// <summary>No kernel does this.</summary>
    public bool IsCertainlyWrong => Doubt == Doubt.None;

    /// <summary>The falsified copy of the log.</summary>
    public string Apply(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return string.Concat(
            text.AsSpan(0, Offset), New, text.AsSpan(Offset + Old.Length));
    }

    /// <summary><c>line 12: stat.nattch 1 -> 2</c></summary>
    public override string ToString() => $"line {Line}: {Field} {Old} -> {New}"
        + (IsCertainlyWrong ? "" : $" ({Doubt})");
}
