namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>What a judge says of a log.</summary>
public enum Judgement
{
    /// <summary>A kernel can have produced it.</summary>
    Explained,
    /// <summary>None can.</summary>
    Unexplained,
    /// <summary>It cannot be read.</summary>
    Unreadable,
}

/// <summary>What a judge says of a log, and where.</summary>
/// <param name="Judgement">The judgement.</param>
/// <param name="Line">The first line that nothing explains, counted from 1; 0 for none.</param>
/// <param name="Reason">Why; empty for an explained log.</param>
public readonly record struct Verdict(Judgement Judgement, int Line, string Reason);
