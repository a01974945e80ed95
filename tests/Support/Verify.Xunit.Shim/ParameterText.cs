using System.Collections;
using System.Globalization;
using System.Text;

namespace VerifyTests;

/// <summary>Values of parameters as they stand in file names.</summary>
internal static class ParameterText
{
    private const string Unsafe = "\"\\<>|:*?/";

    /// <summary>The part of a file name that names parameters and their values.</summary>
    public static string Of(IReadOnlyList<string> names, IReadOnlyList<object?> values)
    {
        if (values.Count > names.Count)
        {
            throw new InvalidOperationException(
                $"The number of passed in parameters ({values.Count}) must not exceed "
                + $"the number of parameters for the method ({names.Count}).");
        }

        StringBuilder text = new();
        foreach ((string name, object? value) in names.Zip(values))
        {
            text.Append('_').Append(name).Append('=');
            Append(text, value, isRoot: true);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, object? value, bool isRoot)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case string or Enum:
                AppendSafe(text, value.ToString()!);
                break;
            case bool or sbyte or byte or short or ushort or int or uint or long or ulong
                or float or double or decimal:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
            case Array items:
                AppendItems(text, items, isRoot);
                break;
            default:
                throw new NotSupportedException(
                    $"A {value.GetType()} has no text here; pass a string of your own.");
        }
    }

    private static void AppendItems(StringBuilder text, Array items, bool isRoot)
    {
        if (items.Length == 0)
        {
            text.Append("[]");
            return;
        }

        text.Append(isRoot ? "" : "[");
        string separator = "";
        foreach (object? item in (IEnumerable)items)
        {
            text.Append(separator);
            Append(text, item, isRoot: false);
            separator = ",";
        }

        text.Append(isRoot ? "" : "]");
    }

    private static void AppendSafe(StringBuilder text, string value)
    {
        foreach (char c in value)
        {
            text.Append(c < ' ' || Unsafe.Contains(c) ? '-' : c);
        }
    }
}
