using System.Text;

namespace ShmCheck.Bench.Reporting;

/// <summary>A table in Markdown, its columns aligned so that it can be read as it stands.
/// </summary>
internal sealed class Table(params string[] header)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, header.Length);
        _rows.Add(cells);
    }

    public override string ToString()
    {
        int[] widths = [.. header.Select((title, column) =>
            _rows.Select(row => row[column].Length).Append(title.Length).Max())];
        var text = new StringBuilder();
        Append(text, header, widths);
        Append(text, [.. widths.Select(width => new string('-', width))], widths);
        foreach (string[] row in _rows)
        {
            Append(text, row, widths);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, string[] cells, int[] widths) =>
        text.Append("| ")
            .AppendJoin(" | ", cells.Zip(widths, (cell, width) => cell.PadRight(width)))
            .Append(" |\n");
}
