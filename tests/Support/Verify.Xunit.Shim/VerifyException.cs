/// <summary>A text that is not its snapshot. Not to be caught by type: Verify's own is internal.
/// </summary>
#pragma warning disable CA1050, IDE0130 // Verify's own is in no namespace either.
internal sealed class VerifyException(string message) : Exception(message)
#pragma warning restore CA1050, IDE0130
{
    // The message says all; the stack would be that of this library.
    public override string StackTrace => "";
}
